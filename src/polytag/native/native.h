// What the native core computes: the recurrence of GRU layers over packed rows, while training and while tagging.
//
// Legend: T steps, N packed rows, D inputs, H units, K tags; step t owns sizes[t] rows, non-increasing, as in torch's
// PackedSequence. The backward direction walks the same rows from the last step to the first, so that nothing is ever
// mirrored or copied. Weights come packed: panels of PANEL columns, [ceil(n / PANEL)][k][PANEL], filled up with zeros.
//
// Each instruction set has a file of its own, which the build compiles with the flags below; all else gets none. A file
// for another processor than the target's is empty, its flags are left out there. What such a file defines lies in an
// unnamed namespace (but for its table of functions), and none uses templates of the standard library: the linker could
// take their wide instructions for those of the other files.
//
//     x86-64   avx2.cpp         -mavx2 -mfma
//              avx_vnni.cpp     -mavx2 -mfma -mavxvnni
//              avx512.cpp       -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx2 -mfma
//              avx512_low.cpp   the same, -mavx512bf16 -mavx512vnni
//              amx.cpp          the same as avx512_low.cpp, -mamx-tile -mamx-bf16 -mamx-int8
//     aarch64  neon_dot.cpp     -march=armv8.2-a+dotprod, or -mcpu=generic+dotprod where the compiler (zig) has no such name
//     all      plain.cpp, neon.cpp, native.cpp, processor.cpp   nothing
//
// All of them: -O3 -std=c++17 -fno-trapping-math -fno-math-errno -ffp-contract=off -fvisibility=hidden -fno-exceptions but
// for native.cpp. A row's result must not depend on the rows beside it, so what is fused is written so.
#pragma once

#include <stdint.h>

static constexpr int64_t ABI = 5;  // raise it whenever a function or a structure changes; loader.py has the same
static constexpr int64_t PANEL = 32;

// One direction of a layer while training. Everything is float32 but for the packed weights, which are in the precision
// that products are computed in.
struct Scan {
    int64_t units;          // H
    int64_t rows;           // N
    int64_t steps;          // T
    const int64_t* sizes;   // T
    int64_t backward;       // 1: from the last step to the first
    int64_t reset_after;    // 1: the reset gate acts after the recurrent product
    const void* weights[3];  // made by the core: recurrent weights of r, z, c packed; backward pass: their transposes,
                             // r and z as one of 2H rows, then c, then nothing
    float* gates;        // N 3H: projected inputs; the forward pass leaves r, z, c there
    float* states;       // N rows that are `stride` apart: forward pass: the states; backward pass: their gradient
    int64_t stride;
    float* previous;     // N H: the state that entered each step
    float* reset;        // N H: r * previous, or with reset_after the recurrent product of the candidate
    float* d_gates;      // N 3H, backward pass only: gradient of the projected inputs
    float* d_reset;      // N H, backward pass with reset_after only: gradient of the recurrent product
    float* scratch;      // sizes[0] H, backward pass only
};

// The loss of a CRF over N rows of K tags; `width` is K filled up to whole vectors.
struct Crf {
    int64_t tags, rows, steps;
    const int64_t* sizes;    // T
    const float* emissions;  // N K
    const int64_t* gold;     // N
    const float* transitions;       // K K
    const float* factors;           // K width: exp(transitions), filled up with zeros
    const float* backward_factors;  // K width: its transpose
    const float* start;             // K
    float margin;
    float *local, *prefixes, *scales;  // N width, N width, N: made by the forward pass, read by the backward pass
    double* losses;                    // B
    const float* weights;              // B, backward pass only, as what follows: what each loss is multiplied with
    float *d_emissions, *d_transitions, *d_start;  // N K; K K and K, which are added to
};

// Functions that need memory of their own return whether there was enough.
struct Crfs {
    int64_t width;  // of a vector
    void (*forward)(const Crf&);
    bool (*backward)(const Crf&);
    bool (*viterbi)(const float* emissions, const float* transitions, const float* start, int64_t steps,
                    const int64_t* sizes, int64_t tags, int32_t* best, float* totals);
};

// out [m, n], rows `stride` apart, = a [m, k] b [k, n] + bias [n] (or nothing), or added to what is there. An element is
// `down` from the one below and `right` from the next one; one of the two is 1.
struct Product {
    int64_t m, k, n;
    const float* a;
    int64_t a_down, a_right;
    const float* b;
    int64_t b_down, b_right;
    const float* bias;
    float* out;
    int64_t stride, adds;
};

// What training needs in one precision. `part` of `parts` shares of a product's columns.
struct Training {
    int64_t fill;     // what k is filled up to a multiple of
    void (*pack)(const float* matrix, int64_t k, int64_t n, int64_t down, int64_t right, void* out);
    bool (*forward)(const Scan&);
    bool (*backward)(const Scan&);
    bool (*multiply)(const Product&, int64_t part, int64_t parts);  // null for float32: PyTorch does that well
};

// A matrix [k, n] packed in some precision. The elements of `group` rows that belong to one product of 4 bytes lie
// side by side: [ceil(n / PANEL)][k / group][PANEL][group]; k is filled up with zeros.
struct Weights {
    int64_t k, n;
    void* panels;      // null where there was no memory
    float* scales;     // n, int8 only: what one unit of each column is worth
    int32_t* offsets;  // n, int8 only: what inputs without sign, which come as x + 128, add to each column
};

// A layer while tagging: all its weights, by direction and gate (r, z, c).
struct Layer {
    int64_t inputs, units, reset_after;
    Weights input[2][3], recurrent[2][3];
    float* bias;  // 2 3H, or null
};

// Some of a layer's directions: 0 forward, 1 backward.
struct Directions {
    int64_t first, end;
};

// Where the input side of the gates comes from: rows x [N, D], or row i of the packed rows is rows[i] of a table [*, 6H].
struct Source {
    const float* x;
    const float* table;
    const int32_t* rows;
};

// What tagging needs in one precision.
struct Tagging {
    Weights (*pack)(const float* matrix, int64_t k, int64_t n, int64_t down, int64_t right);
    // Rows x [N, D] -> the input side of the gates, [N, 6H]: by direction, r z c, unit; of some directions.
    bool (*gates)(const Layer&, Directions, const float* x, int64_t rows, float* out);
    // Packed rows -> states [N, 2H], of some directions.
    bool (*states)(const Layer&, Directions, const Source&, int64_t steps, const int64_t* sizes, float* out);
    // Rows x [N, D] by each of `count` matrices [D, K].
    bool (*project)(const Weights* const* matrices, int64_t count, const float* x, int64_t rows, int64_t inputs,
                    float* const* out);
};

enum { FLOAT32, BFLOAT16, INT8, PRECISIONS };

// An instruction set and what is written in it; null where it has no instructions for a precision.
struct Instructions {
    const char* name;
    bool (*present)();  // on this processor
    const Crfs* crf;
    const Training* training[PRECISIONS];
    const Tagging* tagging[PRECISIONS];
    bool fast_bfloat16;  // at least twice as fast as float32 on every processor that has it
};

// What processor.cpp finds out.
bool has_avx2();
bool has_avx_vnni();
bool has_avx512();
bool has_avx512_vnni();
bool has_avx512_bfloat16();
bool has_amx();
bool has_neon_dot();
bool is_amd();

extern const Crfs PLAIN_CRF, AVX2_CRF, AVX512_CRF, NEON_CRF;
extern const Training PLAIN_TRAINING, AVX2_TRAINING, AVX512_TRAINING, AVX512_BFLOAT16_TRAINING, AMX_BFLOAT16_TRAINING,
    NEON_TRAINING;
extern const Tagging PLAIN_FLOAT32, AVX2_FLOAT32, AVX512_FLOAT32, AVX512_BFLOAT16, AVX512_INT8, AVX_VNNI_INT8,
    AMX_BFLOAT16, AMX_INT8, NEON_FLOAT32, NEON_DOT_INT8;
