#pragma GCC target("avx2,fma")
#include <stdlib.h>
#include <string.h>

#include "native.h"
#include "vector_avx2.h"

namespace {
#include "product.h"
#include "pack.h"
#include "scan.h"
#include "tag.h"
#include "viterbi.h"
#include "crf.h"
}

extern const Scans AVX2_SCANS = {Vector::WIDTH, crf_forward, crf_backward, pack, forward, backward, viterbi};
extern const Tagging AVX2_FLOAT32 = {Float32::pack, states<Float32>};
