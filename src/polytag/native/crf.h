// The softmax-margin loss of a CRF and its gradients; included after product.h.
//
// Forward and backward sums are kept as probabilities that sum to 1 at each row, their scales apart. That is exact enough
// where no transition is larger than 30 in size: whatever underflows is below 1e-11 of what it would be added to.

static inline Vector exponential(Vector x) { return power_of_two(x * Vector::all(LOG2_E)); }

static inline float sum_of(const float* x, int64_t n) {
    Vector total = Vector::all(0.0f);
    for (int64_t i = 0; i < n; i += Vector::WIDTH) total = total + Vector::load(x + i);
    float parts[Vector::WIDTH], sum = 0;
    total.store(parts);
    for (float part : parts) sum += part;
    return sum;
}

// out [K] = x [K] @ matrix [K, width]
static inline void row_product(const float* x, const float* matrix, int64_t tags, int64_t width, float* out) {
    for (int64_t i = 0; i < width; i += 2 * Vector::WIDTH) {
        const bool two = i + Vector::WIDTH < width;
        Vector a = Vector::all(0.0f), b = a;
        for (int64_t k = 0; k < tags; k++) {
            const Vector value = Vector::all(x[k]);
            a = fused(value, Vector::load(matrix + k * width + i), a);
            if (two) b = fused(value, Vector::load(matrix + k * width + i + Vector::WIDTH), b);
        }
        a.store(out + i);
        if (two) b.store(out + i + Vector::WIDTH);
    }
}

static void crf_forward(const Crf& c) {
    const int64_t K = c.tags, width = filled(K, Vector::WIDTH);
    each_step(c.steps, c.sizes, false, false, [&](const Step& step) {
        for (int64_t b = 0; b < step.rows; b++) {
            const int64_t row = step.first + b, gold = c.gold[row];
            const float* emission = c.emissions + row * K;
            const float* edge = step.before ? nullptr : c.start;
            float *local = c.local + row * width, *prefix = c.prefixes + row * width;
            float largest = -__builtin_inff();
            for (int64_t k = 0; k < K; k++) {
                local[k] = emission[k] + (k == gold ? 0.0f : c.margin) + (edge ? edge[k] : 0.0f);
                largest = local[k] > largest ? local[k] : largest;
            }
            for (int64_t k = K; k < width; k++) local[k] = -__builtin_inff();
            for (int64_t i = 0; i < width; i += Vector::WIDTH)
                exponential(Vector::load(local + i) - Vector::all(largest)).store(local + i);
            for (int64_t k = K; k < width; k++) local[k] = 0.0f;
            double score = (double)emission[gold];
            if (edge) {
                c.losses[b] = 0.0;
                memcpy(prefix, local, width * sizeof(float));
                score += c.start[gold];
            } else {
                const int64_t before = step.before_first + b;
                row_product(c.prefixes + before * width, c.factors, K, width, prefix);
                for (int64_t i = 0; i < width; i += Vector::WIDTH)
                    (Vector::load(prefix + i) * Vector::load(local + i)).store(prefix + i);
                score += c.transitions[c.gold[before] * K + gold];
            }
            const float total = sum_of(prefix, width);
            const Vector scale = Vector::all(1.0f / total);
            for (int64_t i = 0; i < width; i += Vector::WIDTH) (Vector::load(prefix + i) * scale).store(prefix + i);
            c.scales[row] = 1.0f / total;
            c.losses[b] += __builtin_log((double)total) + largest - score;
        }
    });
}

static bool crf_backward(const Crf& c) {
    const int64_t K = c.tags, width = filled(K, Vector::WIDTH), sequences = c.steps ? c.sizes[0] : 0;
    Arena arena((sequences + K + 2) * width * (int64_t)sizeof(float) + 8 * 64);
    if (!arena.memory) return false;
    float *suffixes = arena.take<float>(sequences * width), *pairs = arena.take<float>(K * width);
    float* onwards = arena.take<float>(width);
    memset(pairs, 0, K * width * sizeof(float));
    each_step(c.steps, c.sizes, false, true, [&](const Step& step) {
        const int64_t later = step.first + step.rows;
        for (int64_t b = 0; b < step.rows; b++) {
            const int64_t row = step.first + b, gold = c.gold[row];
            const float weight = c.weights[b];
            float *suffix = suffixes + b * width, *d = c.d_emissions + row * K;
            const float* prefix = c.prefixes + row * width;
            if (b < step.after) {
                const int64_t next = later + b;
                for (int64_t i = 0; i < width; i += Vector::WIDTH)
                    (Vector::load(suffix + i) * Vector::load(c.local + next * width + i) * Vector::all(c.scales[next]))
                        .store(onwards + i);
                for (int64_t k = 0; k < K; k++) {
                    const Vector share = Vector::all(prefix[k] * weight);
                    for (int64_t i = 0; i < width; i += Vector::WIDTH) {
                        float* to = pairs + k * width + i;
                        fused(share, Vector::load(onwards + i), Vector::load(to)).store(to);
                    }
                }
                row_product(onwards, c.backward_factors, K, width, suffix);
                c.d_transitions[gold * K + c.gold[next]] -= weight;
            } else {
                for (int64_t i = 0; i < width; i += Vector::WIDTH) Vector::all(1.0f).store(suffix + i);
            }
            for (int64_t k = 0; k < K; k++) d[k] = weight * prefix[k] * suffix[k];
            d[gold] -= weight;
            if (!step.before)
                for (int64_t k = 0; k < K; k++) c.d_start[k] += d[k];
        }
    });
    for (int64_t k = 0; k < K; k++)
        for (int64_t i = 0; i < K; i++) c.d_transitions[k * K + i] += pairs[k * width + i] * c.factors[k * width + i];
    return true;
}
