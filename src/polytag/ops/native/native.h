// What the native core computes: the recurrence of one direction of one GRU layer, over packed rows.
//
// Legend: T steps, N packed rows, H units; step t owns sizes[t] rows, non-increasing, as in torch's PackedSequence. The
// backward direction walks the same rows from the last step to the first, so that nothing is ever mirrored or copied.
// Weights come packed: panels of PANEL columns, [ceil(n / PANEL)][k][PANEL], the last one filled up with zeros.
#pragma once

static constexpr long PANEL = 32;

struct Scan {
    long units;          // H
    long steps;          // T
    const long* sizes;   // T
    long backward;       // 1: from the last step to the first
    long reset_after;    // 1: the reset gate acts after the recurrent product
    const float* weights[3];  // forward pass: recurrent weights of r, z, c packed; backward pass: their transposes, r
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

struct Kernels {
    void (*forward)(const Scan&);
    void (*backward)(const Scan&);
};

extern const Kernels AVX2, AVX512;
