#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")
#define MANY_REGISTERS
#include <stdlib.h>
#include <string.h>

#include "native.h"
#include "vector_avx512.h"

namespace {
#include "product.h"
#include "pack.h"
#include "tag.h"
#include "scan.h"
#include "viterbi.h"
#include "crf.h"
}

extern const Crfs AVX512_CRF = {Vector::WIDTH, crf_forward, crf_backward, viterbi};
extern const Training AVX512_TRAINING = {1, pack, forward<Float32>, backward<Float32>, nullptr};
extern const Tagging AVX512_FLOAT32 = {Float32::pack, states<Float32>, project<Float32>};
