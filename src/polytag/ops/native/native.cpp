// The functions that Python calls (by ctypes), and the choice of the instruction set.
#include "native.h"

namespace {

// Instruction sets by number, the best one last; null where the processor lacks it.
const Kernels* find(long number) {
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    return number == 1 && avx512 ? &AVX512 : number == 0 && avx2 ? &AVX2 : nullptr;
}

const Kernels* kernels = find(1) ? find(1) : find(0);

}  // namespace

extern "C" {

// Whether the processor can do what this library needs.
int polytag_usable() { return kernels != nullptr; }

// Use the instruction set of this number from now on; 0 where the processor lacks it (for tests).
int polytag_select(long number) {
    const Kernels* found = find(number);
    if (found) kernels = found;
    return found != nullptr;
}

// Pack a matrix [k, n] whose elements are `down` and `right` apart into panels; `out` has room for them.
void polytag_pack(const float* matrix, long k, long n, long down, long right, float* out) {
    for (long column = 0; column < n; column += PANEL, out += PANEL * k) {
        const long columns = n - column < PANEL ? n - column : PANEL;
        constexpr long LINE = 16;  // rows at a time: whole cache lines where `down` is 1
        for (long row = 0; row < k; row += LINE) {
            const long end = row + LINE < k ? row + LINE : k;
            for (long c = 0; c < columns; c++)
                for (long r = row; r < end; r++) out[r * PANEL + c] = matrix[r * down + (column + c) * right];
            for (long c = columns; c < PANEL; c++)
                for (long r = row; r < end; r++) out[r * PANEL + c] = 0.0f;
        }
    }
}

// Both directions of a layer; on two threads if there are.
void polytag_forward(const Scan* scans, long threads) {
#pragma omp parallel for num_threads(2) if (threads > 1)
    for (long direction = 0; direction < 2; direction++) kernels->forward(scans[direction]);
}

void polytag_backward(const Scan* scans, long threads) {
#pragma omp parallel for num_threads(2) if (threads > 1)
    for (long direction = 0; direction < 2; direction++) kernels->backward(scans[direction]);
}
}
