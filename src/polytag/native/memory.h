// Memory for the kernels, aligned to a line of the cache; null where there is none. The same on every platform.
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

namespace {

constexpr int64_t LINE = 64;

inline int64_t filled(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

// The byte before what is handed out says how far it is from what malloc gave: 1 to 64 bytes.
inline void* allocate(int64_t bytes) {
    char* block = (char*)malloc((size_t)bytes + LINE);
    if (!block) return nullptr;
    const int64_t ahead = LINE - (int64_t)((uintptr_t)block % LINE);
    block[ahead - 1] = (char)ahead;
    return block + ahead;
}

inline void release(void* memory) {
    if (memory) free((char*)memory - ((char*)memory)[-1]);
}

// One block of memory, cut into aligned pieces; all of them null where there was none.
struct Arena {
    char* memory;
    int64_t used = 0;
    explicit Arena(int64_t bytes) : memory((char*)allocate(filled(bytes, LINE))) {}
    ~Arena() { release(memory); }
    Arena(const Arena&) = delete;
    template <class T>
    T* take(int64_t n) {
        T* piece = (T*)(memory + used);
        used += filled(n * (int64_t)sizeof(T), LINE);
        return piece;
    }
};

}  // namespace
