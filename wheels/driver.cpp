// Tries a compiled core where there is no Python to try it with (Windows and musl here): loads it, and on each instruction
// set compares its kernels with plain loops in double precision. Prints a line for each; the exit code is the number of
// lines that failed.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>
#if defined(_WIN32)
#include <windows.h>
static void* opened(const char* file) { return (void*)LoadLibraryA(file); }
static void* symbol(void* library, const char* name) { return (void*)GetProcAddress((HMODULE)library, name); }
#else
#include <dlfcn.h>
static void* opened(const char* file) { return dlopen(file, RTLD_NOW); }
static void* symbol(void* library, const char* name) { return dlsym(library, name); }
#endif

using Floats = std::vector<float>;

static void* library;
static int failures;

template <class Function>
static Function* call(const char* name) {
    return (Function*)symbol(library, name);
}

// Numbers between -1 and 1 that are the same everywhere.
static Floats numbers(size_t n, uint32_t seed) {
    Floats out(n);
    for (float& x : out) x = (int32_t)(seed = seed * 1664525 + 1013904223) / 2147483648.0f;
    return out;
}

static void report(const char* instructions, const char* precision, const char* what, double error, double allowed) {
    const bool good = error <= allowed;
    failures += !good;
    printf("%-8s %-24s %-9s %-10s largest difference %.2g, allowed %.2g\n", good ? "ok" : "FAILED", instructions, precision, what,
           error, allowed);
}

static double difference(const Floats& found, const std::vector<double>& expected) {
    double most = 0;
    for (size_t i = 0; i < found.size(); i++) {
        const double error = std::fabs(found[i] - expected[i]);
        most = error <= most ? most : error;  // not a number counts
    }
    return most;
}

// [n, k] by [k, m] and what is added to each row, if anything.
static std::vector<double> product(const double* a, int64_t n, int64_t k, const float* b, int64_t m, const float* bias) {
    std::vector<double> out(n * m);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < m; j++) {
            double sum = bias ? bias[j] : 0;
            for (int64_t at = 0; at < k; at++) sum += a[i * k + at] * b[at * m + j];
            out[i * m + j] = sum;
        }
    return out;
}

static void matrix(const char* instructions, int64_t precision, const char* name, double allowed) {
    const int64_t n = 37, k = 50, m = 45;
    const Floats x = numbers(n * k, 1), values = numbers(k * m, 2);
    void* handle = call<void*(int64_t, int64_t, int64_t, const float*)>("polytag_matrix")(precision, k, m, values.data());
    Floats out(n * m);
    float* outs[] = {out.data()};
    call<int64_t(void* const*, int64_t, const float*, int64_t, float* const*)>("polytag_project")(&handle, 1, x.data(), n, outs);
    call<void(void*)>("polytag_matrix_free")(handle);
    const std::vector<double> wide(x.begin(), x.end());
    report(instructions, name, "product", difference(out, product(wide.data(), n, k, values.data(), m, nullptr)), allowed);
}

static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// One direction of a GRU layer over packed rows, by the book; see reference.py.
static void scan(const std::vector<double>& gates, const Floats& u, const std::vector<int64_t>& sizes, int64_t H, bool backward,
                 bool after, std::vector<double>& out) {
    std::vector<double> states(sizes[0] * H);
    std::vector<int64_t> first(sizes.size() + 1);
    for (size_t t = 0; t < sizes.size(); t++) first[t + 1] = first[t] + sizes[t];
    for (size_t step = 0; step < sizes.size(); step++) {
        const size_t t = backward ? sizes.size() - 1 - step : step;
        for (int64_t b = 0; b < sizes[t]; b++) {
            double* h = &states[b * H];
            const double* from = &gates[(first[t] + b) * 6 * H + backward * 3 * H];
            const float* weights = u.data() + backward * H * 3 * H;
            const std::vector<double> sums = product(h, 1, H, weights, 3 * H, nullptr);
            std::vector<double> r(H), z(H), gated(H);
            for (int64_t j = 0; j < H; j++) {
                r[j] = sigmoid(from[j] + sums[j]);
                z[j] = sigmoid(from[H + j] + sums[H + j]);
                gated[j] = r[j] * h[j];
            }
            const std::vector<double> before = product(gated.data(), 1, H, weights, 3 * H, nullptr);
            for (int64_t j = 0; j < H; j++) {
                const double c = std::tanh(from[2 * H + j] + (after ? r[j] * sums[2 * H + j] : before[2 * H + j]));
                h[j] = z[j] * h[j] + (1 - z[j]) * c;
                out[(first[t] + b) * 2 * H + backward * H + j] = h[j];
            }
        }
    }
}

static void layer(const char* instructions, int64_t precision, const char* name, bool after, double allowed) {
    const int64_t D = 23, H = 35;
    const std::vector<int64_t> sizes = {19, 19, 11, 7, 7, 3, 1, 1};
    const int64_t n = 68;
    const Floats x = numbers(n * D, 3), w = numbers(2 * D * 3 * H, 4), bias = numbers(2 * 3 * H, 6);
    Floats u = numbers(2 * H * 3 * H, 5);
    for (float& weight : u) weight *= 0.3f;
    void* handle = call<void*(int64_t, int64_t, int64_t, int64_t, const float*, const float*, const float*)>("polytag_layer")(
        precision, D, H, after, w.data(), u.data(), bias.data());
    Floats out(n * 2 * H);
    const int64_t status = call<int64_t(const void*, int64_t, const float*, int64_t, int64_t, const int64_t*, float*)>("polytag_states")(
        handle, 2, x.data(), n, (int64_t)sizes.size(), sizes.data(), out.data());
    call<void(void*)>("polytag_layer_free")(handle);
    const std::vector<double> wide(x.begin(), x.end());
    std::vector<double> gates(n * 6 * H), expected(out.size());
    for (int64_t direction = 0; direction < 2; direction++) {
        const auto side = product(wide.data(), n, D, &w[direction * D * 3 * H], 3 * H, &bias[direction * 3 * H]);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < 3 * H; j++) gates[i * 6 * H + direction * 3 * H + j] = side[i * 3 * H + j];
    }
    for (int direction = 0; direction < 2; direction++) scan(gates, u, sizes, H, direction, after, expected);
    report(instructions, name, after ? "GRU, after" : "GRU", status ? 1e9 : difference(out, expected), allowed);
}

// One sequence of four words with five tags, against all of its paths.
static void viterbi(const char* instructions) {
    constexpr int64_t K = 5, T = 4;
    const Floats emissions = numbers(T * K, 7), transitions = numbers(K * K, 8), start = numbers(K, 9);
    const int64_t sizes[] = {1, 1, 1, 1};
    int32_t best[T];
    float total;
    call<int64_t(const float*, int64_t, const float*, const float*, int64_t, const int64_t*, int64_t, int32_t*, float*)>(
        "polytag_viterbi")(emissions.data(), T, transitions.data(), start.data(), T, sizes, K, best, &total);
    double most = -1e9;
    int differing = 0;
    for (int path = 0; path < K * K * K * K; path++) {
        int tags[T] = {path % 5, path / 5 % 5, path / 25 % 5, path / 125};
        double score = start[tags[0]];
        for (int t = 0; t < T; t++) score += emissions[t * K + tags[t]] + (t ? transitions[tags[t - 1] * K + tags[t]] : 0);
        if (score <= most) continue;
        most = score;
        differing = 0;
        for (int t = 0; t < T; t++) differing += tags[t] != best[t];
    }
    report(instructions, "float32", "Viterbi", differing + std::fabs(total - most), 1e-5);
}

int main(int, char** arguments) {
    library = opened(arguments[1]);
    if (!library) return printf("FAILED   cannot load %s\n", arguments[1]), 1;
    const auto name_of = call<const char*(int64_t)>("polytag_name");
    const char* precisions[] = {"float32", "bfloat16", "int8"};
    const double allowed[] = {1e-5, 0.05, 0.1};
    int tried = 0;
    for (int64_t set = 0; const char* name = name_of(set); set++) {
        if (!call<int64_t(int64_t)>("polytag_select")(set)) {
            printf("skipped  %-24s this processor lacks it\n", name);
            continue;
        }
        tried++;
        viterbi(name);
        for (int64_t precision = 0; precision < 3; precision++) {
            if (!call<int64_t(int64_t)>("polytag_supports")(precision)) continue;
            matrix(name, precision, precisions[precision], allowed[precision]);
            for (bool after : {false, true}) layer(name, precision, precisions[precision], after, allowed[precision]);
        }
    }
    printf("%d instruction sets tried, %d failures\n", tried, failures);
    return tried ? failures : 1;
}
