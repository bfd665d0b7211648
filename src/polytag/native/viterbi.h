// The best tag sequences, several vectors of tags at once; included after product.h.

// For `VECTORS` vectors of tags, the best score of a path to each without its own emission: now [K], transitions [K, width].
template <int64_t VECTORS>
static void best_before(const float* now, const float* transitions, int64_t tags, int64_t width, float* out) {
    Vector top[VECTORS];
    for (int64_t v = 0; v < VECTORS; v++)
        top[v] = Vector::all(now[0]) + Vector::load(transitions + v * Vector::WIDTH);
    for (int64_t k = 1; k < tags; k++) {
        const Vector score = Vector::all(now[k]);
        for (int64_t v = 0; v < VECTORS; v++)
            top[v] = most(top[v], score + Vector::load(transitions + k * width + v * Vector::WIDTH));
    }
    for (int64_t v = 0; v < VECTORS; v++) top[v].store(out + v * Vector::WIDTH);
}

static bool viterbi(const float* emissions, const float* transitions, const float* start, int64_t steps,
                    const int64_t* sizes, int64_t tags, int32_t* best, float* totals) {
    static constexpr int64_t MOST = 4;  // vectors at once: enough additions to hide the latency of a maximum
    static constexpr decltype(&best_before<1>) blocks[] = {best_before<1>, best_before<2>, best_before<3>, best_before<MOST>};
    int64_t total = 0;
    for (int64_t t = 0; t < steps; t++) total += sizes[t];
    const int64_t width = filled(tags, Vector::WIDTH), first = steps ? sizes[0] : 0;
    Arena arena((tags * width + total * width + first * width) * (int64_t)sizeof(float) + 8 * 64);
    if (!arena.memory) return false;
    float* edges = arena.take<float>(tags * width);  // the transitions in rows of whole vectors
    float* tops = arena.take<float>(total * width);  // the best score to each tag, without its emission
    float* scores = arena.take<float>(first * width);
    memset(edges, 0, tags * width * sizeof(float));
    for (int64_t k = 0; k < tags; k++) memcpy(edges + k * width, transitions + k * tags, tags * sizeof(float));
    for (int64_t t = 0, row = 0; t < steps; t++)
        for (int64_t b = 0; b < sizes[t]; b++, row++) {
            float *now = scores + b * width, *top = tops + row * width;
            if (t)
                for (int64_t i = 0; i < width; i += MOST * Vector::WIDTH) {
                    const int64_t left = (width - i) / Vector::WIDTH;
                    blocks[(left < MOST ? left : MOST) - 1](now, edges + i, tags, width, top + i);
                }
            else
                memcpy(top, start, tags * sizeof(float));
            vectors(tags, [&](int64_t i, int64_t n) {
                (Vector::load(top + i, n) + Vector::load(emissions + row * tags + i, n)).store(now + i, n);
            });
        }
    // Backwards, from the best tag of the last row of each sequence. Where a path came from is not kept but found again,
    // for the tags of the best path alone: the first that gives the same score, by the same additions.
    for (int64_t t = steps - 1, row = total; t >= 0; t--) {
        row -= sizes[t];
        for (int64_t b = 0; b < sizes[t]; b++) {
            const int64_t here = row + b;
            const float *top = tops + here * width, *emission = emissions + here * tags;
            int64_t tag = 0;
            if (t + 1 < steps && b < sizes[t + 1]) {
                const int64_t next = row + sizes[t] + b, after = best[next];
                const float score = tops[next * width + after];
                while (tag + 1 < tags && top[tag] + emission[tag] + transitions[tag * tags + after] != score) tag++;
            } else {
                const float* last = scores + b * width;
                for (int64_t k = 1; k < tags; k++)
                    if (last[k] > last[tag]) tag = k;
                totals[b] = last[tag];
            }
            best[here] = (int32_t)tag;
        }
    }
    return true;
}
