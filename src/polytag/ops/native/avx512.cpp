#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")
#define MANY_REGISTERS
#include <stdlib.h>
#include <string.h>

#include "native.h"
#include "vector_avx512.h"

namespace {
#include "product.h"
#include "pack.h"
#include "scan.h"
#include "tag.h"
#include "viterbi.h"
#include "crf.h"
}

extern const Scans AVX512_SCANS = {Vector::WIDTH, crf_forward, crf_backward, pack, forward, backward, viterbi};
extern const Tagging AVX512_FLOAT32 = {Float32::pack, states<Float32>};
