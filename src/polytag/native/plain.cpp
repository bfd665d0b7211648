#include "memory.h"
#include "native.h"
#include "vector_plain.h"

namespace {
#include "product.h"
#include "pack.h"
#include "tag.h"
#include "scan.h"
#include "viterbi.h"
#include "crf.h"
}

extern const Crfs PLAIN_CRF = {Vector::WIDTH, crf_forward, crf_backward, viterbi};
extern const Training PLAIN_TRAINING = {1, pack, forward<Float32>, backward<Float32>, nullptr};
extern const Tagging PLAIN_FLOAT32 = {Float32::pack, gates<Float32>, states<Float32>, project<Float32>};
