#include "memory.h"
#include "native.h"

#if defined(__x86_64__)
#include "vector_avx512.h"
#include "whole_avx512.h"

namespace {
#include "product.h"
#include "tag.h"
#include "scan.h"
#include "low.h"
#include "int8.h"
#include "bfloat16.h"
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
template <class E>
struct Tiles : Registers<E> {
    typedef typename E::Element Element;
    static constexpr int64_t ROWS = 16, MOST_ROWS = 32, STEP = 16 * E::GROUP, FILL = STEP;  // of k at a time

    static Weights pack(const float* matrix, int64_t k, int64_t n, int64_t down, int64_t right) {
        return E::template pack<Tiles>(matrix, k, n, down, right);
    }
    static void begin() { _tile_loadconfig(&CONFIGURATION); }
    static void end() { _tile_release(); }

    template <class Use>
    static void product(const Element* a, int64_t stride, int64_t m, const Weights& w, const float* units, const Use& use) {
        alignas(64) float sums[MOST_ROWS * PANEL];
        const Element* panel = (const Element*)w.panels;
        for (int64_t column = 0; column < w.n; column += PANEL, panel += PANEL * w.k) {
            const int64_t columns = w.n - column < PANEL ? w.n - column : PANEL;
            for (int64_t first = 0; first < m; first += MOST_ROWS) {
                const int64_t rows = m - first < MOST_ROWS ? m - first : MOST_ROWS;
                block(a + first * stride, stride, rows, panel, w.k, columns <= PANEL / 2, sums);
                for (int64_t r = 0; r < rows; r++) {
                    E::finish(sums + r * PANEL, w, column, columns, units ? units[first + r] : 1.0f / 127);
                    use(first + r, column, columns, sums + r * PANEL);
                }
            }
        }
    }

    static void block(const Element* a, int64_t stride, int64_t rows, const Element* panel, int64_t k, bool half, float* out) {
        constexpr int64_t DOWN = PANEL * 4;  // bytes from a row of weights to the next
        const int64_t bytes = stride * (int64_t)sizeof(*a);
        const char* weights = (const char*)panel;
        const bool two = rows > 16;
        const Element* b = a + 16 * stride;
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        for (int64_t i = 0; i < k; i += STEP, weights += 16 * DOWN) {
            _tile_loadd(4, a + i, bytes);
            _tile_loadd(6, weights, DOWN);
            multiply(0);
            if (two) {
                _tile_loadd(5, b + i, bytes);
                multiply(2);
            }
            if (half) continue;
            _tile_loadd(7, weights + 64, DOWN);
            multiply(1);
            if (two) multiply(3);
        }
        _tile_stored(0, out, PANEL * 4);
        if (!half) { _tile_stored(1, out + 16, PANEL * 4); }
        if (!two) return;
        _tile_stored(2, out + 16 * PANEL, PANEL * 4);
        if (!half) { _tile_stored(3, out + 16 * PANEL + 16, PANEL * 4); }
    }

    // Adds to a tile of sums the product of its inputs and weights; the instruction names its tiles.
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

typedef Tiles<Bfloat16> LowBfloat16;
typedef Tiles<Int8> LowInt8;
typedef Exact<Tiles<Bfloat16>> TrainingBfloat16;
}

extern const Tagging AMX_BFLOAT16 = {LowBfloat16::pack, gates<LowBfloat16>, states<LowBfloat16>, project<LowBfloat16>};
extern const Tagging AMX_INT8 = {LowInt8::pack, gates<LowInt8>, states<LowInt8>, project<LowInt8>};
extern const Training AMX_BFLOAT16_TRAINING = {
    TrainingBfloat16::FILL, pack_pairs, forward<TrainingBfloat16>, backward<TrainingBfloat16>, multiply<TrainingBfloat16>};
#endif
