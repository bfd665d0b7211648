// The functions that Python calls (by ctypes), and the choice of the instruction set.
#include "native.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>
#include <vector>

#include "memory.h"

#if defined(_WIN32)
#define EXPORT extern "C" __declspec(dllexport)
#else
#define EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace {

bool always() { return true; }

// From what every processor has to what few have.
const Instructions ALL[] = {
    {"plain C++", always, &PLAIN_CRF, {&PLAIN_TRAINING}, {&PLAIN_FLOAT32}, false},
#if defined(__x86_64__)
    {"AVX2", has_avx2, &AVX2_CRF, {&AVX2_TRAINING}, {&AVX2_FLOAT32}, false},
    {"AVX2 (VNNI)", has_avx_vnni, &AVX2_CRF, {&AVX2_TRAINING}, {&AVX2_FLOAT32, nullptr, &AVX_VNNI_INT8}, false},
    {"AVX-512", has_avx512, &AVX512_CRF, {&AVX512_TRAINING}, {&AVX512_FLOAT32}, false},
    {"AVX-512 (VNNI)", has_avx512_vnni, &AVX512_CRF, {&AVX512_TRAINING}, {&AVX512_FLOAT32, nullptr, &AVX512_INT8}, false},
    {"AVX-512 (VNNI, bfloat16)", has_avx512_bfloat16, &AVX512_CRF, {&AVX512_TRAINING, &AVX512_BFLOAT16_TRAINING},
     {&AVX512_FLOAT32, &AVX512_BFLOAT16, &AVX512_INT8}, false},
    {"AMX", has_amx, &AVX512_CRF, {&AVX512_TRAINING, &AMX_BFLOAT16_TRAINING},
     {&AVX512_FLOAT32, &AMX_BFLOAT16, &AMX_INT8}, true},
#elif defined(__aarch64__)
    {"NEON", always, &NEON_CRF, {&NEON_TRAINING}, {&NEON_FLOAT32}, false},
    {"NEON (dot product)", has_neon_dot, &NEON_CRF, {&NEON_TRAINING}, {&NEON_FLOAT32, nullptr, &NEON_DOT_INT8}, false},
#endif
};
constexpr int64_t COUNT = sizeof ALL / sizeof *ALL;

int64_t best() {
    int64_t best = 0;
    for (int64_t i = 0; i < COUNT; i++)
        if (ALL[i].present()) best = i;
    return best;
}

const Instructions* chosen = &ALL[best()];

// What calls come back with.
enum Outcome : int64_t { DONE, NO_MEMORY, BAD_SIZES, OUT_OF_RANGE };

Outcome outcome(bool had_memory) { return had_memory ? DONE : NO_MEMORY; }

// Whether sizes of steps are those of N packed rows.
bool fit(int64_t rows, int64_t steps, const int64_t* sizes) {
    int64_t left = rows;
    for (int64_t t = 0; t < steps; t++) {
        if (sizes[t] < 1 || sizes[t] > left || (t && sizes[t] > sizes[t - 1])) return false;
        left -= sizes[t];
    }
    return left == 0;
}

template <class T>
bool within(const T* numbers, int64_t n, int64_t end) {
    for (int64_t i = 0; i < n; i++)
        if (numbers[i] < 0 || numbers[i] >= end) return false;
    return true;
}

// Shares of a work, each taken by the thread that comes to it first.
template <class Work>
struct Shares {
    const Work& work;
    const int64_t count;
    std::atomic<int64_t> next{0};
    std::atomic<bool> had_memory{true};

    static void take(void* all) {
        Shares& shares = *static_cast<Shares*>(all);
        for (int64_t i; (i = shares.next++) < shares.count;)
            if (!shares.work(i)) shares.had_memory = false;
    }
};

// OpenMP's function that calls another one in so many threads: they wait for the next call, where new ones must start.
using Parallel = void (*)(void (*)(void*), void*, unsigned, unsigned);

// `work(i)` for each of n shares, on as many threads; whether all of them had memory.
template <class Work>
bool share(int64_t n, const Work& work, Parallel parallel = nullptr) {
    Shares<Work> shares{work, n};
    if (parallel && n > 1) {
        parallel(shares.take, &shares, (unsigned)n, 0);
        return shares.had_memory;
    }
    std::vector<std::thread> others;
    try {
        for (int64_t i = 1; i < n; i++) others.emplace_back(shares.take, &shares);
    } catch (...) {  // no more threads are to be had: those that there are do the rest
    }
    shares.take(&shares);
    for (std::thread& thread : others) thread.join();
    return shares.had_memory;
}

// From how many products on a second thread is worth it: a millisecond's in float32, for a thread may have to wait for a core.
constexpr int64_t WORTH_A_THREAD = 48'000'000;

// `work(directions)` for both directions of a layer, on two threads if so many are to be had and worth it.
template <class Work>
bool both(int64_t threads, int64_t products, const Work& work) {
    if (threads < 2 || products < WORTH_A_THREAD) return work(Directions{0, 2});
    return share(2, [&](int64_t direction) { return work(Directions{direction, direction + 1}); });
}

struct Packed : Layer {
    const Tagging* kernels;
};

struct Matrix {
    Weights weights;
    int64_t inputs;
    const Tagging* kernels;
};

void release(const Weights& weights) {
    release(weights.panels);
    release(weights.scales);
    release(weights.offsets);
}

void release_layer(Packed* layer) {
    for (int64_t direction = 0; direction < 2; direction++)
        for (int64_t gate = 0; gate < 3; gate++) {
            release(layer->input[direction][gate]);
            release(layer->recurrent[direction][gate]);
        }
    release(layer->bias);
    release((void*)layer);
}

// Packs what there is memory for; whether that is all.
bool pack_layer(Packed* layer, const float* w, const float* u, const float* bias) {
    const int64_t inputs = layer->inputs, units = layer->units, across = 3 * units;
    for (int64_t direction = 0; direction < 2; direction++)
        for (int64_t gate = 0; gate < 3; gate++) {
            const float* from_input = w + direction * inputs * across + gate * units;
            const float* from_state = u + direction * units * across + gate * units;
            layer->input[direction][gate] = layer->kernels->pack(from_input, inputs, units, across, 1);
            layer->recurrent[direction][gate] = layer->kernels->pack(from_state, units, units, across, 1);
            if (!layer->input[direction][gate].panels || !layer->recurrent[direction][gate].panels) return false;
        }
    if (!bias) return true;
    layer->bias = (float*)allocate(2 * across * (int64_t)sizeof(float));
    if (layer->bias) memcpy(layer->bias, bias, 2 * across * sizeof(float));
    return layer->bias;
}

constexpr int64_t ITEMS_AT_ONCE = 65'536;  // whose states are held: 42 MB with 160 columns

// Sequences, each a stretch of items, as packed rows.
struct Ragged {
    std::vector<int64_t> sizes, firsts;  // of the steps; the first row of each
    std::vector<int32_t> places;         // N: the item of each row

    // Of the sequences that are given by their numbers, longest first.
    Ragged(const int64_t* order, int64_t count, const int64_t* lengths, const int64_t* starts, const int32_t* items) {
        for (int64_t t = 0, running = count; t < lengths[order[0]]; t++) {
            while (lengths[order[running - 1]] <= t) running--;
            sizes.push_back(running);
            firsts.push_back((int64_t)places.size());
            for (int64_t b = 0; b < running; b++) places.push_back(items[starts[order[b]] + t]);
        }
    }
};

// The states [N, 2H] of the top one of several layers.
bool top_states(const Packed* const* layers, int64_t count, int64_t threads, const float* table, const Ragged& rows,
                std::vector<float>& out) {
    const int64_t n = (int64_t)rows.places.size(), steps = (int64_t)rows.sizes.size();
    std::vector<float> below;
    for (int64_t i = 0; i < count; i++) {
        const Packed& layer = *layers[i];
        out.swap(below);
        out.resize(n * 2 * layer.units);
        const Source source = i ? Source{below.data(), nullptr, nullptr} : Source{nullptr, table, rows.places.data()};
        const int64_t products = n * ((i ? layer.inputs : 0) + layer.units) * 6 * layer.units;
        const bool had_memory = both(threads, products, [&](Directions directions) {
            return layer.kernels->states(layer, directions, source, steps, rows.sizes.data(), out.data());
        });
        if (!had_memory) return false;
    }
    return true;
}

// What polytag_ends does; std::bad_alloc says that there was no memory, too.
bool ends(const Packed* const* layers, int64_t count, int64_t threads, const float* table, const int32_t* items,
          const int64_t* lengths, int64_t sequences, float* out) {
    const int64_t units = layers[count - 1]->units;
    std::vector<int64_t> starts(sequences), order(sequences);
    std::vector<float> states;
    for (int64_t i = 1; i < sequences; i++) starts[i] = starts[i - 1] + lengths[i - 1];
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return lengths[a] > lengths[b]; });
    for (int64_t first = 0, end = 0; first < sequences; first = end) {
        for (int64_t n = 0; end < sequences && (end == first || n + lengths[order[end]] <= ITEMS_AT_ONCE); end++)
            n += lengths[order[end]];
        const Ragged rows(&order[first], end - first, lengths, starts.data(), items);
        if (!top_states(layers, count, threads, table, rows, states)) return false;
        for (int64_t b = 0; b < end - first; b++) {
            const int64_t sequence = order[first + b], last = rows.firsts[lengths[sequence] - 1] + b;
            memcpy(out + sequence * 2 * units, &states[last * 2 * units], units * sizeof(float));
            memcpy(out + (sequence * 2 + 1) * units, &states[(b * 2 + 1) * units], units * sizeof(float));
        }
    }
    return true;
}

// Packs recurrent weights [H, 3H] of one direction for a pass of training and computes it. Forward, the panels are r, z and c;
// backward their transposes, those of r and z as one matrix of 2H rows.
bool pass(const Training& kernels, int64_t bytes, const float* weights, Scan scan, bool backward) {
    const int64_t units = scan.units, across = 3 * units, size = filled(units, PANEL) * filled(units, kernels.fill) * bytes;
    Arena arena(3 * size);
    if (!arena.memory) return false;
    const auto pack = [&](int64_t gate, int64_t k, int64_t down, int64_t right) {
        char* panels = arena.memory + gate * size;
        kernels.pack(weights + gate * units, k, units, down, right, panels);
        return panels;
    };
    if (backward) {
        scan.weights[0] = pack(0, 2 * units, 1, across);
        scan.weights[1] = pack(2, units, 1, across);
        return kernels.backward(scan);
    }
    for (int64_t gate = 0; gate < 3; gate++) scan.weights[gate] = pack(gate, units, across, 1);
    return kernels.forward(scan);
}

Parallel openmp = nullptr;  // what training shares by, where the process has it

int64_t train(int64_t precision, const float* weights, const Scan* scans, int64_t threads, bool backward) {
    const Training& kernels = *chosen->training[precision];
    const int64_t bytes = precision == FLOAT32 ? 4 : 2, size = 3 * scans->units * scans->units;
    if (!fit(scans->rows, scans->steps, scans->sizes)) return BAD_SIZES;
    const auto one = [&](int64_t direction) {
        return pass(kernels, bytes, weights + direction * size, scans[direction], backward);
    };
    return outcome(threads > 1 ? share(2, one, openmp) : one(0) && one(1));
}

}  // namespace

EXPORT int64_t polytag_abi() { return ABI; }

// Of Scan, Product and Crf.
EXPORT int64_t polytag_struct_size(int64_t which) {
    const int64_t sizes[] = {sizeof(Scan), sizeof(Product), sizeof(Crf)};
    return which < 0 || which > 2 ? 0 : sizes[which];
}

// The name of an instruction set that this library has, null beyond the last one.
EXPORT const char* polytag_name(int64_t number) { return number >= 0 && number < COUNT ? ALL[number].name : nullptr; }

// The number of the instruction set in use.
EXPORT int64_t polytag_selected() { return chosen - ALL; }

// Use an instruction set from now on; 0 where the processor lacks it. For tests: calls in other threads may see either.
EXPORT int64_t polytag_select(int64_t number) {
    if (number < 0 || number >= COUNT || !ALL[number].present()) return 0;
    chosen = &ALL[number];
    return 1;
}

// Whether a precision (0 float32, 1 bfloat16, 2 int8) has instructions here.
EXPORT int64_t polytag_supports(int64_t precision) {
    return precision >= 0 && precision < PRECISIONS && chosen->tagging[precision];
}

// Whether bfloat16 is at least twice as fast as float32; Intel's AVX-512 form of it is not.
EXPORT int64_t polytag_prefers_bfloat16() {
#if defined(__x86_64__)
    return chosen->fast_bfloat16 || (chosen->tagging[BFLOAT16] && is_amd());
#else
    return chosen->fast_bfloat16;
#endif
}

// ---- Tagging: nothing that is made here changes afterwards, and any number of threads may use it.

// A layer: input weights [2, D, 3H], recurrent weights [2, H, 3H], bias [2, 3H] or null; all are copied. Null where there is
// no memory. Free it with polytag_layer_free.
EXPORT void* polytag_layer(int64_t precision, int64_t inputs, int64_t units, int64_t reset_after, const float* w,
                           const float* u, const float* bias) {
    Packed* layer = (Packed*)allocate(sizeof(Packed));
    if (!layer) return nullptr;
    *layer = {{inputs, units, reset_after, {}, {}, nullptr}, chosen->tagging[precision]};
    if (pack_layer(layer, w, u, bias)) return layer;
    release_layer(layer);
    return nullptr;
}

EXPORT void polytag_layer_free(void* layer) { release_layer((Packed*)layer); }

// Rows x [N, D] -> the input side of the gates with bias, [N, 6H]: by direction, r z c, unit; on two threads if there are.
EXPORT int64_t polytag_gates(const void* handle, int64_t threads, const float* x, int64_t rows, float* out) {
    const Packed& layer = *(const Packed*)handle;
    return outcome(both(threads, rows * layer.inputs * 6 * layer.units, [&](Directions directions) {
        return layer.kernels->gates(layer, directions, x, rows, out);
    }));
}

// Packed rows x [N, D] -> states [N, 2H].
EXPORT int64_t polytag_states(const void* handle, int64_t threads, const float* x, int64_t rows, int64_t steps,
                              const int64_t* sizes, float* out) {
    const Packed& layer = *(const Packed*)handle;
    if (!fit(rows, steps, sizes)) return BAD_SIZES;
    return outcome(both(threads, rows * (layer.inputs + layer.units) * 6 * layer.units, [&](Directions directions) {
        return layer.kernels->states(layer, directions, {x, nullptr, nullptr}, steps, sizes, out);
    }));
}

// The same where the input side of the gates is known: that of packed row i is row places[i] of a table [entries, 6H].
EXPORT int64_t polytag_states_of(const void* handle, int64_t threads, const float* table, int64_t entries,
                                 const int32_t* places, int64_t rows, int64_t steps, const int64_t* sizes, float* out) {
    const Packed& layer = *(const Packed*)handle;
    if (!fit(rows, steps, sizes)) return BAD_SIZES;
    if (!within(places, rows, entries)) return OUT_OF_RANGE;
    return outcome(both(threads, rows * layer.units * 6 * layer.units, [&](Directions directions) {
        return layer.kernels->states(layer, directions, {nullptr, table, places}, steps, sizes, out);
    }));
}

// Sequences of items, one after the other, whose gates are rows of a table [entries, 6H]: through several layers, each upon the
// one before it -> the last forward state of the top one beside its first backward state, [B, 2H].
EXPORT int64_t polytag_ends(const void* const* layers, int64_t count, int64_t threads, const float* table, int64_t entries,
                            const int32_t* items, int64_t total, const int64_t* lengths, int64_t sequences, float* out) {
    int64_t left = total;
    for (int64_t i = 0; i < sequences; left -= lengths[i++])
        if (lengths[i] < 1 || lengths[i] > left) return BAD_SIZES;
    if (left) return BAD_SIZES;
    if (!within(items, total, entries)) return OUT_OF_RANGE;
    try {
        return outcome(ends((const Packed* const*)layers, count, threads, table, items, lengths, sequences, out));
    } catch (...) {
        return NO_MEMORY;
    }
}

// A matrix [D, K], copied; null where there is no memory. Free it with polytag_matrix_free.
EXPORT void* polytag_matrix(int64_t precision, int64_t inputs, int64_t columns, const float* values) {
    const Tagging* kernels = chosen->tagging[precision];
    Matrix* matrix = (Matrix*)allocate(sizeof(Matrix));
    if (!matrix) return nullptr;
    *matrix = {kernels->pack(values, inputs, columns, columns, 1), inputs, kernels};
    if (matrix->weights.panels) return matrix;
    release((void*)matrix);
    return nullptr;
}

EXPORT void polytag_matrix_free(void* handle) {
    release(((Matrix*)handle)->weights);
    release(handle);
}

// Rows x [N, D] by each of several matrices [D, K] of one precision -> out [N, K] each.
EXPORT int64_t polytag_project(const void* const* handles, int64_t count, const float* x, int64_t rows, float* const* out) {
    constexpr int64_t MOST = 16;  // at once
    const Matrix* const* matrices = (const Matrix* const*)handles;
    const Weights* weights[MOST];
    for (int64_t first = 0; first < count; first += MOST) {
        const int64_t n = count - first < MOST ? count - first : MOST;
        for (int64_t i = 0; i < n; i++) weights[i] = &matrices[first + i]->weights;
        if (!matrices[0]->kernels->project(weights, n, x, rows, matrices[0]->inputs, out + first)) return NO_MEMORY;
    }
    return DONE;
}

// What features of words add to the scores of tags: for each word the sum of `of_own` rows of own [owns, own_width], beside it
// that of `of_around` rows of around [arounds, around_width], by their numbers, of which 0 stands for no row.
EXPORT int64_t polytag_feature_scores(const float* own, int64_t owns, int64_t own_width, int64_t of_own, const float* around,
                                      int64_t arounds, int64_t around_width, int64_t of_around, const int32_t* numbers,
                                      int64_t words, float* out) {
    const auto sum = [&](const float* table, int64_t width, int64_t count) {
        memset(out, 0, width * sizeof(float));
        for (int64_t i = 0; i < count; i++)
            for (int64_t k = 0; numbers[i] && k < width; k++) out[k] += table[numbers[i] * width + k];
        numbers += count, out += width;
    };
    for (int64_t word = 0; word < words; word++) {
        if (!within(numbers, of_own, owns) || !within(numbers + of_own, of_around, arounds)) return OUT_OF_RANGE;
        sum(own, own_width, of_own);
        sum(around, around_width, of_around);
    }
    return DONE;
}

// Adds what features say to emissions [N, K]: of packed row i, word words[i] of scores [entries, 1 + P, K] says in its first
// row what it adds where it stands itself, and in the following ones what it adds to words P / 2 after it, and so on to those
// P / 2 before it; edge [P, K] is what a place beside the sentence adds instead.
EXPORT int64_t polytag_add_features(const float* scores, int64_t entries, const float* edge, const int32_t* words,
                                    int64_t rows, int64_t steps, const int64_t* sizes, int64_t places, int64_t tags,
                                    float* emissions) {
    if (!fit(rows, steps, sizes)) return BAD_SIZES;
    if (!within(words, rows, entries)) return OUT_OF_RANGE;
    const int64_t reach = places / 2;
    const auto add = [&](float* to, const float* from) {
        for (int64_t k = 0; k < tags; k++) to[k] += from[k];
    };
    for (int64_t t = 0, first = 0; t < steps; first += sizes[t], t++)
        for (int64_t b = 0; b < sizes[t]; b++) {
            float* to = emissions + (first + b) * tags;
            add(to, scores + words[first + b] * (1 + places) * tags);
            int64_t start = first;  // of the step that a place lies in
            for (int64_t back = 1; back <= reach && t - back >= 0; back++) start -= sizes[t - back];
            for (int64_t place = 0; place < places; place++) {
                const int64_t step = t + place - reach;
                if (step >= 0 && step < steps && b < sizes[step])
                    add(to, scores + (words[start + b] * (1 + places) + 1 + place) * tags);
                else
                    add(to, edge + place * tags);
                if (step >= 0 && step < steps) start += sizes[step];
            }
        }
    return DONE;
}

// Scores [N, K], transitions [K, K], start [K] -> the best tag of each row and the score of each sequence.
EXPORT int64_t polytag_viterbi(const float* emissions, int64_t rows, const float* transitions, const float* start,
                               int64_t steps, const int64_t* sizes, int64_t tags, int32_t* best, float* totals) {
    if (!fit(rows, steps, sizes)) return BAD_SIZES;
    return outcome(chosen->crf->viterbi(emissions, transitions, start, steps, sizes, tags, best, totals));
}

// ---- Training

// `GOMP_parallel` of the OpenMP library that the process has, to train by its threads.
EXPORT void polytag_use_openmp(Parallel parallel) { openmp = parallel; }

// Both directions of a layer with recurrent weights [2, H, 3H]; on two threads if there are.
EXPORT int64_t polytag_forward(int64_t precision, const float* weights, const Scan* scans, int64_t threads) {
    return train(precision, weights, scans, threads, false);
}

EXPORT int64_t polytag_backward(int64_t precision, const float* weights, const Scan* scans, int64_t threads) {
    return train(precision, weights, scans, threads, true);
}

// A product in a precision other than float32; on several threads if there are.
EXPORT int64_t polytag_multiply(int64_t precision, const Product* product, int64_t threads) {
    const Training& kernels = *chosen->training[precision];
    return outcome(
        share(threads, [&](int64_t part) { return kernels.multiply(*product, part, threads); }, openmp));
}

// What the rows of a CRF's tables are filled up to a multiple of.
EXPORT int64_t polytag_width() { return chosen->crf->width; }

EXPORT int64_t polytag_crf_forward(const Crf* loss) {
    if (!fit(loss->rows, loss->steps, loss->sizes)) return BAD_SIZES;
    if (!within(loss->gold, loss->rows, loss->tags)) return OUT_OF_RANGE;
    chosen->crf->forward(*loss);
    return DONE;
}

EXPORT int64_t polytag_crf_backward(const Crf* loss) { return outcome(chosen->crf->backward(*loss)); }
