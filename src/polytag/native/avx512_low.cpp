#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx512vnni,avx2,fma")
#define MANY_REGISTERS
#include <stdlib.h>
#include <string.h>

#include "native.h"
#include "vector_avx512.h"

namespace {
#include "product.h"
#include "tag.h"
#include "low.h"
#include "scan.h"
#include "pairs.h"

// Blocks of rows with all sums in registers, as in product.h.
struct Registers {
    static constexpr long ROWS = 1, MOST_ROWS = 12;
    static void begin() {}
    static void end() {}

    template <class E, long N, long VECTORS>
    static void rows_of(const typename E::Element* a, long stride, const char* panel, long k, float* out) {
        typename E::Sum sums[N][VECTORS];
        for (auto& row : sums) for (auto& sum : row) sum = E::zero();
        for (long i = 0; i < k / E::GROUP; i++) {
            __m512i w[VECTORS];
            for (long v = 0; v < VECTORS; v++) w[v] = _mm512_loadu_si512(panel + i * PANEL * 4 + v * 64);
            for (long r = 0; r < N; r++) {
                int x;
                memcpy(&x, a + r * stride + i * E::GROUP, 4);
                for (long v = 0; v < VECTORS; v++) sums[r][v] = E::add(sums[r][v], x, w[v]);
            }
        }
        for (long r = 0; r < N; r++)
            for (long v = 0; v < VECTORS; v++) E::store(out + r * PANEL + v * 16, sums[r][v]);
    }

    template <class E, long VECTORS>
    static void choose(const typename E::Element* a, long stride, long rows, const char* panel, long k, float* out) {
        typedef void (*Run)(const typename E::Element*, long, const char*, long, float*);
        static constexpr Run runs[] = {
            rows_of<E, 1, VECTORS>, rows_of<E, 2, VECTORS>, rows_of<E, 3, VECTORS>, rows_of<E, 4, VECTORS>,
            rows_of<E, 5, VECTORS>, rows_of<E, 6, VECTORS>, rows_of<E, 7, VECTORS>, rows_of<E, 8, VECTORS>,
            rows_of<E, 9, VECTORS>, rows_of<E, 10, VECTORS>, rows_of<E, 11, VECTORS>, rows_of<E, 12, VECTORS>,
        };
        runs[rows - 1](a, stride, panel, k, out);
    }

    template <class E>
    static void block(const typename E::Element* a, long stride, long rows, const char* panel, long k, bool half,
                      float* out) {
        half ? choose<E, 1>(a, stride, rows, panel, k, out) : choose<E, 2>(a, stride, rows, panel, k, out);
    }
};

typedef Low<Bfloat16Elements, Registers> Bfloat16;
typedef Low<Int8Elements, Registers> Int8;
}

extern const Tagging AVX512_BFLOAT16 = {Bfloat16::pack, states<Bfloat16>, project<Bfloat16>};
extern const Tagging AVX512_INT8 = {Int8::pack, states<Int8>, project<Int8>};
extern const Training AVX512_BFLOAT16_TRAINING = {32, pack_pairs, forward<Exact<Registers>>, backward<Exact<Registers>>, multiply<Exact<Registers>>};
