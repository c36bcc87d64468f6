#include "fiber.h"

#include <cstdint>
#include <new>
#include <sys/mman.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(__x86_64__)
#error "the emulator switches stacks on x86-64 only"
#endif

// Saves the registers that a callee must keep, stores the stack pointer in *from and continues on the stack `to`.
extern "C" void headscope_switch_stack(void** from, void* to);
asm(R"(
    .text
    .globl headscope_switch_stack
    .hidden headscope_switch_stack
    .type headscope_switch_stack, @function
headscope_switch_stack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size headscope_switch_stack, . - headscope_switch_stack
)");

namespace emulator {

namespace {
constexpr std::size_t STACK_BYTES = 128 * 1024;
constexpr std::size_t GUARD_BYTES = 4096;
constexpr std::size_t SLOT_BYTES = STACK_BYTES + GUARD_BYTES;
constexpr int SAVED_REGISTERS = 6;
} // namespace

Fibers::Fibers(int most) : bytes(most * SLOT_BYTES), pointers(new void*[most]) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        throw std::bad_alloc();
    }
    stacks = static_cast<char*>(memory);
    for (int fiber = 0; fiber < most; fiber++) {
        mprotect(stacks + fiber * SLOT_BYTES, GUARD_BYTES, PROT_NONE);
    }
}

Fibers::~Fibers() {
    abandon();
    munmap(stacks, bytes);
    delete[] pointers;
}

char* Fibers::top(int fiber) const {
    return stacks + (fiber + 1) * SLOT_BYTES;
}

void Fibers::prepare(int fiber, void (*body)()) {
    // As if body had been called from address 0: the return address, body as where the switch returns to, registers.
    auto slots = reinterpret_cast<std::uintptr_t*>(top(fiber));
    *--slots = 0;
    *--slots = reinterpret_cast<std::uintptr_t>(body);
    for (int i = 0; i < SAVED_REGISTERS; i++) {
        *--slots = 0;
    }
    pointers[fiber] = slots;
}

void Fibers::abandon() {
#ifdef __SANITIZE_ADDRESS__
    // Frames that never returned left their red zones behind.
    __asan_unpoison_memory_region(stacks, bytes);
#endif
}

void Fibers::entered() {
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(nullptr, &homeBottom, &homeBytes);
#endif
}

void Fibers::resume(int fiber) {
#ifdef __SANITIZE_ADDRESS__
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, top(fiber) - STACK_BYTES, STACK_BYTES);
#endif
    headscope_switch_stack(&home, pointers[fiber]);
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
}

void Fibers::leave(int fiber) {
#ifdef __SANITIZE_ADDRESS__
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, homeBottom, homeBytes);
#endif
    headscope_switch_stack(&pointers[fiber], home);
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(fake, &homeBottom, &homeBytes);
#endif
}

} // namespace emulator
