// Weights as panels for the products of training: once per layer and pass, so it must cost next to nothing.

#if defined(__SSE2__)
#include <emmintrin.h>
// Four rows of a panel from four columns of a matrix whose rows are neighbours.
static inline void transpose_four(const float* from, int64_t right, float* to) {
    __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + right);
    __m128 c = _mm_loadu_ps(from + 2 * right), d = _mm_loadu_ps(from + 3 * right);
    _MM_TRANSPOSE4_PS(a, b, c, d);
    _mm_storeu_ps(to, a);
    _mm_storeu_ps(to + PANEL, b);
    _mm_storeu_ps(to + 2 * PANEL, c);
    _mm_storeu_ps(to + 3 * PANEL, d);
}
#else
static inline void transpose_four(const float* from, int64_t right, float* to) {
    for (int64_t row = 0; row < 4; row++)
        for (int64_t c = 0; c < 4; c++) to[row * PANEL + c] = from[row + c * right];
}
#endif

static void pack(const float* matrix, int64_t k, int64_t n, int64_t down, int64_t right, void* to_panels) {
    float* out = (float*)to_panels;
    for (int64_t column = 0; column < n; column += PANEL, out += PANEL * k) {
        const int64_t columns = n - column < PANEL ? n - column : PANEL;
        const int64_t fours = down == 1 ? columns / 4 * 4 : 0, row_fours = down == 1 ? k / 4 * 4 : 0;
        const float* from = matrix + column * right;
        for (int64_t row = 0; row < row_fours; row += 4)
            for (int64_t c = 0; c < fours; c += 4) transpose_four(from + row + c * right, right, out + row * PANEL + c);
        for (int64_t row = 0; row < k; row++) {
            float* to = out + row * PANEL;
            if (right == 1 && columns == PANEL) {
                memcpy(to, from + row * down, PANEL * sizeof(float));
                continue;
            }
            for (int64_t c = row < row_fours ? fours : 0; c < columns; c++) to[c] = from[row * down + c * right];
            for (int64_t c = columns; c < PANEL; c++) to[c] = 0.0f;
        }
    }
}
