// A stack that can be left and returned to: x86-64 with the System V calling convention.
#pragma once

#include <cstddef>

namespace emulator {

/// Fibers of one OS thread. Each has its own stack, with a page below it that may not be touched.
class Fibers {
public:
    explicit Fibers(int most);
    ~Fibers();
    Fibers(const Fibers&) = delete;
    Fibers& operator=(const Fibers&) = delete;

    /// The next resume of this fiber calls body(), which first says entered() and at last leaves instead of returning.
    void prepare(int fiber, void (*body)());
    void entered();

    /// From the OS thread's own stack into a fiber, until it leaves.
    void resume(int fiber);

    /// From the running fiber back to where it was resumed.
    void leave(int fiber);

    /// After fibers were left in the middle and will not be resumed.
    void abandon();

private:
    char* top(int fiber) const;

    char* stacks;
    std::size_t bytes;
    void** pointers; // of each fiber, while it is left
    void* home = nullptr;
    const void* homeBottom = nullptr; // what AddressSanitizer wants to know of the OS thread's stack
    std::size_t homeBytes = 0;
};

} // namespace emulator
