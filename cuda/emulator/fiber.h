// Coroutines with their own stacks: x86-64 with the System V calling convention.
#pragma once

#include <cstddef>

namespace emulator {

/// Fibers of one OS thread. Each has its own stack with a guard page below.
class Fibers {
public:
    explicit Fibers(int most);
    ~Fibers();
    Fibers(const Fibers&) = delete;
    Fibers& operator=(const Fibers&) = delete;

    /// The next resume of this fiber calls body(), which must call entered() first and leave() instead of returning.
    void prepare(int fiber, void (*body)());
    void entered();

    /// Runs a fiber until it leaves; called on the OS thread's own stack.
    void resume(int fiber);

    /// Returns from the running fiber to the caller of resume.
    void leave(int fiber);

    /// Cleans up after fibers that will not be resumed.
    void abandon();

private:
    char* top(int fiber) const;

    char* stacks;
    std::size_t bytes;
    void** pointers; // stack pointers of suspended fibers
    void* home = nullptr;
    const void* homeBottom = nullptr; // the OS thread's stack, for AddressSanitizer
    std::size_t homeBytes = 0;
};

} // namespace emulator
