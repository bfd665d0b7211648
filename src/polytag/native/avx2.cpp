#include "memory.h"
#include "native.h"

#if defined(__x86_64__)
#include "vector_avx2.h"

namespace {
#include "product.h"
#include "pack.h"
#include "tag.h"
#include "scan.h"
#include "viterbi.h"
#include "crf.h"
}

extern const Crfs AVX2_CRF = {Vector::WIDTH, crf_forward, crf_backward, viterbi};
extern const Training AVX2_TRAINING = {1, pack, forward<Float32>, backward<Float32>, nullptr};
extern const Tagging AVX2_FLOAT32 = {Float32::pack, gates<Float32>, states<Float32>, project<Float32>};
#endif
