// The functions that Python calls (by ctypes), and the choice of the instruction set.
#include "native.h"

#include <cstdlib>
#include <initializer_list>
#include <vector>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace {

// What this processor can do, from instruction sets that everyone has to those few have.
enum { NOTHING, AVX2, AVX512, AMX };

// AMX keeps so much state that the kernel wants to be asked (arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA).
bool tiles_allowed() {
#if defined(__linux__) && defined(SYS_arch_prctl)
    return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
#else
    return false;
#endif
}

int best() {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return NOTHING;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl") ||
        !__builtin_cpu_supports("avx512dq"))
        return AVX2;
    unsigned a = 7, b, c = 0, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    const bool tiles = (d >> 24 & 1) && (d >> 25 & 1) && (d >> 22 & 1);  // AMX-TILE, AMX-INT8, AMX-BF16
    return tiles && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni") && tiles_allowed() ? AMX : AVX512;
}

const int available = best();
int level = available;

const Crfs& crf() { return level >= AVX512 ? AVX512_CRF : AVX2_CRF; }

const Training* training(long precision) {
    switch (precision) {
        case 0: return level >= AVX512 ? &AVX512_TRAINING : &AVX2_TRAINING;
        case 1: return level >= AMX ? &AMX_BFLOAT16_TRAINING : level >= AVX512 && __builtin_cpu_supports("avx512bf16") ? &AVX512_BFLOAT16_TRAINING : nullptr;
        default: return nullptr;
    }
}

const Tagging* tagging(long precision) {
    switch (precision) {
        case 0: return level >= AVX512 ? &AVX512_FLOAT32 : &AVX2_FLOAT32;
        case 1: return level >= AMX ? &AMX_BFLOAT16 : level >= AVX512 && __builtin_cpu_supports("avx512bf16") ? &AVX512_BFLOAT16 : nullptr;
        case 2: return level >= AMX ? &AMX_INT8 : level >= AVX512 && __builtin_cpu_supports("avx512vnni") ? &AVX512_INT8 : nullptr;
        default: return nullptr;
    }
}

struct Packed : Layer {
    const Tagging* kernels;
};

struct Matrix {
    Weights weights;
    long inputs;
    const Tagging* kernels;
};

void release(const Weights& weights) {
    std::free(weights.panels);
    std::free(weights.scales);
    std::free(weights.offsets);
}

}  // namespace

extern "C" {

// Whether the processor can do what this library needs.
int polytag_usable() { return level != NOTHING; }

// Use instruction sets up to this number (1 AVX2, 2 AVX-512, 3 AMX) from now on; 0 where the processor lacks it.
int polytag_select(long most) {
    if (most > available) return 0;
    level = (int)most;
    return 1;
}

// What the rows of packed weights are filled up to a multiple of in a precision of training.
long polytag_fill(long precision) { return training(precision)->fill; }

// Pack recurrent weights [2, H, 3H] for a pass of training: out [2, 3, S] with S = H filled up times H in whole panels; on
// two threads if there are. Forward: r, z and c of each direction. Backward: their transposes, those of r and z as one
// matrix of 2H rows.
void polytag_pack(long precision, const float* weights, long units, long backward, char* out, long threads) {
    const Training& kernels = *training(precision);
    const auto pack = kernels.pack;
    const long filled = (units + kernels.fill - 1) / kernels.fill * kernels.fill, across = 3 * units;
    const long size = (units + PANEL - 1) / PANEL * PANEL * filled * (precision ? 2 : 4);  // bytes
#pragma omp parallel for num_threads(2) if (threads > 1)
    for (long direction = 0; direction < 2; direction++) {
        const float* from = weights + direction * units * across;
        char* to = out + direction * 3 * size;
        if (backward) {
            pack(from, 2 * units, units, 1, across, to);
            pack(from + 2 * units, units, units, 1, across, to + 2 * size);
        } else {
            for (long gate = 0; gate < 3; gate++) pack(from + gate * units, units, units, across, 1, to + gate * size);
        }
    }
}

// Both directions of a layer while training; on two threads if there are.
void polytag_forward(long precision, const Scan* scans, long threads) {
    const Training& kernels = *training(precision);
#pragma omp parallel for num_threads(2) if (threads > 1)
    for (long direction = 0; direction < 2; direction++) kernels.forward(scans[direction]);
}

void polytag_backward(long precision, const Scan* scans, long threads) {
    const Training& kernels = *training(precision);
#pragma omp parallel for num_threads(2) if (threads > 1)
    for (long direction = 0; direction < 2; direction++) kernels.backward(scans[direction]);
}

// A product in a precision other than float32; on several threads if there are.
void polytag_multiply(long precision, const Product* product, long threads) {
    const Training& kernels = *training(precision);
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (long part = 0; part < threads; part++) kernels.multiply(*product, part, threads);
}

// Whether a precision (0 float32, 1 bfloat16, 2 int8) has instructions here.
int polytag_can_tag(long precision) { return tagging(precision) != nullptr; }

// Whether bfloat16 is at least twice as fast as float32; Intel's AVX-512 form of it is not.
int polytag_prefers_bfloat16() { return level >= AMX || (tagging(1) && __builtin_cpu_is("amd")); }

// A layer for tagging: input weights [2, D, 3H], recurrent weights [2, H, 3H], bias [2, 3H] or null, all contiguous; the
// bias is not copied. Free it with polytag_layer_free.
void* polytag_layer(long precision, long inputs, long units, long reset_after, const float* w, const float* u, const float* bias) {
    Packed* layer = new Packed{{inputs, units, reset_after, {}, {}, bias}, tagging(precision)};
    for (long direction = 0; direction < 2; direction++)
        for (long gate = 0; gate < 3; gate++) {
            const float* from_input = w + direction * inputs * 3 * units + gate * units;
            const float* from_state = u + direction * units * 3 * units + gate * units;
            layer->input[direction][gate] = layer->kernels->pack(from_input, inputs, units, 3 * units, 1);
            layer->recurrent[direction][gate] = layer->kernels->pack(from_state, units, units, 3 * units, 1);
        }
    return layer;
}

void polytag_layer_free(void* handle) {
    Packed* layer = (Packed*)handle;
    for (long direction = 0; direction < 2; direction++)
        for (long gate = 0; gate < 3; gate++)
            for (const Weights* w : {&layer->input[direction][gate], &layer->recurrent[direction][gate]}) release(*w);
    delete layer;
}

// Rows x [N, D] -> states [N, 2H] of a layer; on two threads if there are.
void polytag_states(const void* handle, const float* x, long steps, const long* sizes, float* out, long threads) {
    const Packed& layer = *(const Packed*)handle;
#pragma omp parallel for num_threads(2) if (threads > 1)
    for (long direction = 0; direction < 2; direction++)
        layer.kernels->states(layer, x, steps, sizes, direction, out + direction * layer.units);
}

// A matrix [D, K] for `polytag_project`; free it with polytag_matrix_free.
void* polytag_matrix(long precision, long inputs, long columns, const float* values) {
    const Tagging* kernels = tagging(precision);
    return new Matrix{kernels->pack(values, inputs, columns, columns, 1), inputs, kernels};
}

void polytag_matrix_free(void* handle) {
    Matrix* matrix = (Matrix*)handle;
    release(matrix->weights);
    delete matrix;
}

// Rows x [N, D] by each of several matrices [D, K] of one precision -> out [N, K] each; on several threads if there are.
void polytag_project(const void* const* handles, long count, const float* x, long rows, float* const* out, long threads) {
    const Matrix* const* matrices = (const Matrix* const*)handles;
    const long inputs = matrices[0]->inputs;
#pragma omp parallel for num_threads(threads) if (threads > 1)
    for (long part = 0; part < threads; part++) {
        const long first = rows * part / threads, end = rows * (part + 1) / threads;
        std::vector<const Weights*> weights;
        std::vector<float*> to;
        for (long m = 0; m < count; m++) {
            weights.push_back(&matrices[m]->weights);
            to.push_back(out[m] + first * matrices[m]->weights.n);
        }
        matrices[0]->kernels->project(weights.data(), count, x + first * inputs, end - first, inputs, to.data());
    }
}

// What the rows of a CRF's tables are filled up to a multiple of.
long polytag_width() { return crf().width; }

void polytag_crf_forward(const Crf* loss) { crf().forward(*loss); }

void polytag_crf_backward(const Crf* loss) { crf().backward(*loss); }

// Scores [N, K], transitions [K, K], start [K] -> the best tag of each row and the score of each sequence.
void polytag_viterbi(const float* emissions, const float* transitions, const float* start, long steps, const long* sizes,
                     long tags, long* best, float* totals) {
    crf().viterbi(emissions, transitions, start, steps, sizes, tags, best, totals);
}

}
