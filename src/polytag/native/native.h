// What the native core computes: the recurrence of GRU layers over packed rows, while training and while tagging.
//
// Legend: T steps, N packed rows, D inputs, H units; step t owns sizes[t] rows, non-increasing, as in torch's
// PackedSequence. The backward direction walks the same rows from the last step to the first, so that nothing is ever
// mirrored or copied. Weights come packed: panels of PANEL columns, [ceil(n / PANEL)][k][PANEL], filled up with zeros.
#pragma once

static constexpr long PANEL = 32;

// One direction of a layer while training. Everything is float32 but for the packed weights, which are in the precision
// that products are computed in.
struct Scan {
    long units;          // H
    long steps;          // T
    const long* sizes;   // T
    long backward;       // 1: from the last step to the first
    long reset_after;    // 1: the reset gate acts after the recurrent product
    const void* weights[3];  // forward pass: recurrent weights of r, z, c packed; backward pass: their transposes, r
                             // and z as one of 2H rows, then c, then nothing
    float* gates;        // N 3H: projected inputs; the forward pass leaves r, z, c there
    float* states;       // N rows that are `stride` apart: forward pass: the states; backward pass: their gradient
    long stride;
    float* previous;     // N H: the state that entered each step
    float* reset;        // N H: r * previous, or with reset_after the recurrent product of the candidate
    float* d_gates;      // N 3H, backward pass only: gradient of the projected inputs
    float* d_reset;      // N H, backward pass with reset_after only: gradient of the recurrent product
    float* scratch;      // sizes[0] H, backward pass only
};

// The loss of a CRF over N rows of K tags; `width` is K filled up to whole vectors.
struct Crf {
    long tags, steps;
    const long* sizes;       // T
    const float* emissions;  // N K
    const long* gold;        // N
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

struct Crfs {
    long width;  // of a vector
    void (*forward)(const Crf&);
    void (*backward)(const Crf&);
    void (*viterbi)(const float*, const float*, const float*, long, const long*, long, long*, float*);
};

// out [m, n], rows `stride` apart, = a [m, k] b [k, n] + bias [n] (or nothing), or added to what is there. An element is
// `down` from the one below and `right` from the next one; one of the two is 1.
struct Product {
    long m, k, n;
    const float* a;
    long a_down, a_right;
    const float* b;
    long b_down, b_right;
    const float* bias;
    float* out;
    long stride, adds;
};

// What training needs in one precision. `part` of `parts` shares of a product's columns.
struct Training {
    long fill;     // what k is filled up to a multiple of
    void (*pack)(const float* matrix, long k, long n, long down, long right, void* out);
    void (*forward)(const Scan&);
    void (*backward)(const Scan&);
    void (*multiply)(const Product&, long part, long parts);  // null for float32: PyTorch does that well
};

// A matrix [k, n] packed in some precision. The elements of `group` rows that belong to one product of 4 bytes lie
// side by side: [ceil(n / PANEL)][k / group][PANEL][group]; k is filled up with zeros.
struct Weights {
    long k, n;
    void* panels;
    float* scales;  // n, int8 only: what one unit of each column is worth
    int* offsets;   // n, int8 only: 128 times the sum of each column, for inputs come as x + 128
};

// A layer while tagging: all its weights, by direction and gate (r, z, c).
struct Layer {
    long inputs, units, reset_after;
    Weights input[2][3], recurrent[2][3];
    const float* bias;  // 2 3H, or null
};

// What tagging needs in one precision.
struct Tagging {
    Weights (*pack)(const float* matrix, long k, long n, long down, long right);
    // Rows x [N, D] -> states of one direction, `2H` apart.
    void (*states)(const Layer&, const float* x, long steps, const long* sizes, long direction, float* out);
    // Rows x [N, D] by each of `count` matrices [D, K].
    void (*project)(const Weights* const* matrices, long count, const float* x, long rows, long inputs, float* const* out);
};

extern const Crfs AVX2_CRF, AVX512_CRF;
extern const Training AVX2_TRAINING, AVX512_TRAINING, AVX512_BFLOAT16_TRAINING, AMX_BFLOAT16_TRAINING;
extern const Tagging AVX2_FLOAT32, AVX512_FLOAT32, AVX512_BFLOAT16, AVX512_INT8, AMX_BFLOAT16, AMX_INT8;
