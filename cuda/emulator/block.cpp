#include "block.h"

#include "asynchrony.h"

#include <algorithm>
#include <cstring>

constinit thread_local dim3 threadIdx{};
constinit thread_local dim3 blockIdx{};
constinit thread_local dim3 blockDim{};
constinit thread_local dim3 gridDim{};

namespace emulator {

namespace {
constexpr std::size_t MAX_STATIC_SHARED = 48 * 1024;
constexpr std::size_t MAX_SHARED = 227 * 1024; // static and dynamic

dim3 unravel(std::uint64_t index, dim3 extent) {
    return {static_cast<unsigned>(index % extent.x), static_cast<unsigned>(index / extent.x % extent.y),
            static_cast<unsigned>(index / extent.x / extent.y)};
}

std::string text(dim3 index) {
    return std::string("(") + std::to_string(index.x) + ", " + std::to_string(index.y) + ", " +
           std::to_string(index.z) + ")";
}

bool same(const Site& a, const Site& b) {
    return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0);
}

thread_local Block* onThisThread = nullptr;
} // namespace

Block& current() {
    return *onThisThread;
}

Block::Block() : fibers(MAX_THREADS) {}

Block::~Block() = default;

std::string Block::run(const Launch& what, std::uint64_t index) {
    launch = &what;
    onThisThread = this;
    blockIdx = unravel(index, what.grid);
    blockDim = what.block;
    gridDim = what.grid;
    int count = static_cast<int>(what.block.x * what.block.y * what.block.z);
    // Every block has its own order; an odd multiplier spreads neighbouring indices.
    random = what.seed == 0 ? 0 : (what.seed + index) * 0x9e3779b97f4a7c15u | 1;
    threads.assign(count, Thread{State::READY, {}, 0, 0, 0, 0, 0, {}, {}});
    memory.clear(what.shared_bytes);
    beside = nullptr;
    warpOrderings.fill(0);
    blockOrderings = 0;
    copies.clear();
    copies.resize(count);
    waiting = 0;
    error.clear();
    ready.clear();
    next = 0;

    std::vector<int> all(count);
    for (int thread = 0; thread < count; thread++) {
        all[thread] = thread;
        fibers.prepare(thread, enter);
    }
    schedule(all);
    while (error.empty() && (next < ready.size() || resume_waiting())) {
        running = ready[next++];
        threadIdx = unravel(running, what.block);
        fibers.resume(running);
    }
    bool ended = std::all_of(threads.begin(), threads.end(), [](auto& thread) { return thread.state == State::ENDED; });
    if (ended && error.empty() && beside != nullptr) {
        error = beside->unbalanced();
        error = error.empty() ? error : std::string("kernel ") + what.kernel + ", block " + text(blockIdx) + ": " + error;
    }
    if (ended || !error.empty()) {
        if (!ended) {
            fibers.abandon();
        }
        return error;
    }
    fibers.abandon();
    return deadlock();
}

// Never returns, so AddressSanitizer must not mark its frame.
__attribute__((no_sanitize("address"))) void Block::enter() {
    Block& block = current();
    block.fibers.entered();
    block.launch->body();
    block.threads[block.running].state = State::ENDED;
    block.require_no_copies();
    if (block.beside != nullptr) {
        block.beside->require_no_products();
    }
    block.fibers.leave(block.running);
}

std::uint64_t Block::next_random() {
    random ^= random << 13; // xorshift, Marsaglia 2003
    random ^= random >> 7;
    random ^= random << 17;
    return random;
}

/// Makes threads ready, in the order given by the seed.
void Block::schedule(std::vector<int>& what) {
    if (random != 0) {
        for (std::size_t i = what.size(); i > 1; i--) {
            std::swap(what[i - 1], what[next_random() % i]);
        }
    }
    if (next == ready.size()) {
        ready.clear();
        next = 0;
    }
    for (int thread : what) {
        threads[thread].state = State::READY;
        ready.push_back(thread);
    }
}

/// Makes threads ready whose condition holds; with a seed, only those of some warps, so that others lag behind.
bool Block::resume_waiting() {
    others.clear();
    bool all = random == 0;
    for (int attempt = 0; attempt < 2 && others.empty(); attempt++, all = true) {
        std::uint64_t warps = random == 0 ? 0 : next_random() >> 16;
        for (int thread = 0; thread < thread_count() && error.empty(); thread++) {
            bool asked = all || (warps >> thread / WARP & 1);
            if (asked && threads[thread].state == State::WAITING && threads[thread].ready()) {
                others.push_back(thread);
            }
        }
    }
    schedule(others);
    return next < ready.size();
}

void Block::wait_until(Site site, std::function<bool()> condition, std::function<std::string()> missing) {
    if (error.empty()) {
        threads[running].ready = std::move(condition);
        threads[running].missing = std::move(missing);
    }
    pause(State::WAITING, site);
}

void Block::report(Site site, const std::string& mistake) {
    if (error.empty()) {
        threads[running].site = site;
        error = describe(running) + ": " + mistake;
    }
}

Asynchrony& Block::asynchrony() {
    if (beside == nullptr) {
        memory.separate();
        beside = std::make_unique<Asynchrony>(*this, memory);
    }
    return *beside;
}

void Block::pause(State state, Site site) {
    threads[running].state = state;
    threads[running].site = site;
    fibers.leave(running);
}

void Block::wait(Site site) {
    Thread& own = threads[running];
    own.site = site;
    own.state = State::AT_BARRIER;
    waiting++;
    if (waiting == static_cast<int>(threads.size())) {
        waiting = 0;
        others.clear();
        for (int thread = 0; thread < static_cast<int>(threads.size()); thread++) {
            if (!same(threads[thread].site, site)) {
                error = describe(thread) + ", " + describe(running) + ": one barrier for both";
            }
            if (thread != running) {
                others.push_back(thread);
            }
        }
        own.state = State::READY;
        if (error.empty()) {
            blockOrderings++;
            schedule(others);
            if (beside != nullptr) {
                others.push_back(running);
                beside->clocks.meet(others);
            }
            return;
        }
    }
    pause(State::AT_BARRIER, site);
}

void Block::meet(Site site, unsigned mask, std::uint64_t value, int source, bool ordering,
                 void (*body)(void* const*)) {
    int lane = running % WARP;
    int first = running - lane;
    Thread& own = threads[running];
    own.state = State::IN_WARP;
    own.site = site;
    own.mask = mask;
    own.value = value;
    own.source = source;
    if ((mask >> lane & 1) == 0 || (mask >> (source % WARP) & 1) == 0) {
        error = describe(running) + ": its mask " + std::to_string(mask) + " leaves out the lane itself or lane " +
                std::to_string(source) + ", which it reads";
        pause(State::IN_WARP, site);
    }
    // Starts at the next lane, which is the least likely to have arrived.
    for (int l = lane + 1; l < lane + WARP; l++) {
        if ((mask >> (l % WARP) & 1) && !meets(first + l % WARP, own)) {
            pause(State::IN_WARP, site);
            return;
        }
    }
    std::uint32_t votes = 0;
    for (int l = 0; l < WARP; l++) {
        if (mask >> l & 1) {
            votes |= static_cast<std::uint32_t>(threads[first + l].value != 0) << l;
        }
    }
    if (body != nullptr) {
        void* all[WARP];
        for (int l = 0; l < WARP; l++) {
            all[l] = reinterpret_cast<void*>(threads[first + l].value);
        }
        body(all);
    }
    others.clear();
    for (int l = 0; l < WARP; l++) {
        if (mask >> l & 1) {
            Thread& thread = threads[first + l];
            thread.result = threads[first + thread.source].value;
            thread.votes = votes;
            if (l != lane) {
                others.push_back(first + l);
            }
        }
    }
    own.state = State::READY;
    schedule(others);
    if (ordering) {
        warpOrderings[first / WARP] += mask == ~0u;
        if (beside != nullptr) {
            others.push_back(running);
            beside->clocks.meet(others);
        }
    }
}

/// Whether a thread waits in the same exchange as another.
bool Block::meets(int thread, const Thread& other) const {
    return thread < static_cast<int>(threads.size()) && threads[thread].state == State::IN_WARP &&
           threads[thread].mask == other.mask && same(threads[thread].site, other.site);
}

std::uint64_t Block::exchange(Site site, unsigned mask, std::uint64_t value, int source) {
    meet(site, mask, value, source, false);
    return threads[running].result;
}

std::uint32_t Block::ballot(Site site, unsigned mask, bool value, bool ordering) {
    meet(site, mask, value, running % WARP, ordering);
    return threads[running].votes;
}

void Block::collective(Site site, void* own, void (*body)(void* const* all)) {
    meet(site, ~0u, reinterpret_cast<std::uint64_t>(own), running % WARP, false, body);
}

void Block::require_no_copies() {
    for (const Copies& group : copies[running]) {
        if (!group.empty() && error.empty()) {
            error = describe(running) + " before its copies arrived";
        }
    }
}

void Block::require_alignment(Site site, const void* address) {
    if (reinterpret_cast<std::uintptr_t>(address) % 16 != 0) {
        threads[running].site = site;
        error = describe(running) + ": its address is not a multiple of 16";
    }
}

void Block::copy_async(void* to, const void* from, std::size_t bytes, std::size_t zeros) {
    std::memset(to, SharedMemory::NAN_BYTE, bytes + zeros);
    std::deque<Copies>& groups = copies[running];
    if (groups.empty()) {
        groups.emplace_back();
    }
    groups.back().push_back({to, from, bytes, zeros});
}

void Block::end_copies() {
    std::deque<Copies>& groups = copies[running];
    if (groups.empty()) {
        groups.emplace_back();
    }
    groups.emplace_back();
}

void Block::wait_for_copies(std::size_t newest) {
    std::deque<Copies>& groups = copies[running];
    while (groups.size() > newest + 1) {
        for (const Copy& copy : groups.front()) {
            std::memcpy(copy.to, copy.from, copy.bytes);
            std::memset(static_cast<unsigned char*>(copy.to) + copy.bytes, 0, copy.zeros);
        }
        groups.pop_front();
    }
}

void* Block::shared(const void* tag, std::size_t bytes) {
    unsigned char* variable = memory.piece(tag, bytes, false).threads.get();
    if (memory.static_bytes() > MAX_STATIC_SHARED || memory.static_bytes() + launch->shared_bytes > MAX_SHARED) {
        error = std::string("kernel ") + launch->kernel + " has " + std::to_string(memory.static_bytes()) +
                " bytes of static shared memory";
    }
    return variable;
}

void* Block::dynamic_shared() {
    return memory.piece(this, launch->shared_bytes, true).threads.get();
}

std::string Block::describe(int thread) const {
    const Thread& its = threads[thread];
    std::string does = its.state == State::ENDED ? " has ended"
                                                 : std::string(" waits in ") + its.site.operation + " at " +
                                                       its.site.file + ":" + std::to_string(its.site.line);
    return std::string("kernel ") + launch->kernel + ", block " + text(blockIdx) + ", thread " +
           text(unravel(thread, launch->block)) + does;
}

/// Describes a deadlock: what threads wait for, or a waiting thread and one that it waits for.
std::string Block::deadlock() const {
    int count = static_cast<int>(threads.size());
    int waits = 0;
    while (threads[waits].state == State::ENDED) {
        waits++;
    }
    const Thread& own = threads[waits];
    std::string waiters; // one for each place
    std::vector<Site> sites;
    for (int thread = 0; thread < count; thread++) {
        const Site& site = threads[thread].site;
        if (threads[thread].state == State::WAITING &&
            std::none_of(sites.begin(), sites.end(), [&](const Site& other) { return same(site, other); })) {
            sites.push_back(site);
            waiters += waiters.empty() ? "" : "\n";
            waiters += describe(thread) + " for ever: " + threads[thread].missing();
        }
    }
    if (!waiters.empty()) {
        return waiters;
    }
    int first = own.state == State::IN_WARP ? waits - waits % WARP : 0;
    for (int thread = first; thread < count; thread++) {
        bool awaited = own.state == State::AT_BARRIER
                           ? threads[thread].state != State::AT_BARRIER
                           : thread < first + WARP && (own.mask >> (thread - first) & 1) && !meets(thread, own);
        if (awaited) {
            return describe(waits) + " for a thread that never arrives: " + describe(thread);
        }
    }
    return describe(waits) + " for lanes that do not exist";
}

} // namespace emulator
