#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx512vnni,avx2,fma,amx-tile,amx-bf16,amx-int8")
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

// All tiles have 16 rows of 64 bytes. It must lie in memory as it stands: compilers have taken _tile_loadconfig to read but
// the first bytes of it, and left out the stores to the others where it was made on the stack.
struct Configuration {
    unsigned char palette, start_row, reserved[14];
    unsigned short bytes[16];
    unsigned char rows[16];
};
extern const Configuration CONFIGURATION;
const Configuration CONFIGURATION = {1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

// Up to 32 rows by a panel in four tiles of sums (0 to 3); inputs in tiles 4 and 5, weights in 6 and 7. Inputs must be
// readable in whole tiles.
struct Tiles {
    static constexpr long ROWS = 16, MOST_ROWS = 32;

    static void begin() { _tile_loadconfig(&CONFIGURATION); }
    static void end() { _tile_release(); }

    template <class E>
    static void block(const typename E::Element* a, long stride, long rows, const char* panel, long k, bool half,
                      float* out) {
        constexpr long STEP = 16 * E::GROUP, DOWN = PANEL * 4;  // of k at a time; bytes from a row of weights to the next
        const long bytes = stride * sizeof(*a);
        const bool two = rows > 16;
        const auto* b = a + 16 * stride;
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        for (long i = 0; i < k; i += STEP, panel += 16 * DOWN) {
            _tile_loadd(4, a + i, bytes);
            _tile_loadd(6, panel, DOWN);
            multiply<E>(0);
            if (two) {
                _tile_loadd(5, b + i, bytes);
                multiply<E>(2);
            }
            if (half) continue;
            _tile_loadd(7, panel + 64, DOWN);
            multiply<E>(1);
            if (two) multiply<E>(3);
        }
        _tile_stored(0, out, PANEL * 4);
        if (!half) { _tile_stored(1, out + 16, PANEL * 4); }
        if (!two) return;
        _tile_stored(2, out + 16 * PANEL, PANEL * 4);
        if (!half) { _tile_stored(3, out + 16 * PANEL + 16, PANEL * 4); }
    }

    // Adds to a tile of sums the product of its inputs and weights; the instruction names its tiles.
    template <class E>
    static inline __attribute__((always_inline)) void multiply(const int sums) {
        if constexpr (E::GROUP == 2) {
            if (sums == 0) { _tile_dpbf16ps(0, 4, 6); }
            if (sums == 1) { _tile_dpbf16ps(1, 4, 7); }
            if (sums == 2) { _tile_dpbf16ps(2, 5, 6); }
            if (sums == 3) { _tile_dpbf16ps(3, 5, 7); }
        } else {
            if (sums == 0) { _tile_dpbusd(0, 4, 6); }
            if (sums == 1) { _tile_dpbusd(1, 4, 7); }
            if (sums == 2) { _tile_dpbusd(2, 5, 6); }
            if (sums == 3) { _tile_dpbusd(3, 5, 7); }
        }
    }
};

typedef Low<Bfloat16Elements, Tiles> Bfloat16;
typedef Low<Int8Elements, Tiles> Int8;
}

extern const Tagging AMX_BFLOAT16 = {Bfloat16::pack, states<Bfloat16>, project<Bfloat16>};
extern const Tagging AMX_INT8 = {Int8::pack, states<Int8>, project<Int8>};
extern const Training AMX_BFLOAT16_TRAINING = {32, pack_pairs, forward<Exact<Tiles>>, backward<Exact<Tiles>>, multiply<Exact<Tiles>>};
