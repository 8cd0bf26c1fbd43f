#include "library.h"

#include <stdlib.h>
#include <string.h>

#include <vector>

namespace hostgpu {

/* Made at its first use: the files' lists come in any order. */
static std::vector<Named> &all() {
    static std::vector<Named> functions;
    return functions;
}

StandIns::StandIns(std::initializer_list<Named> functions) {
    all().insert(all().end(), functions.begin(), functions.end());
}

} // namespace hostgpu

/* HOSTGPU_MISSING=cuDNN: that library is not installed. */
extern "C" bool hostgpu_has_library(const char *name) {
    const char *missing = getenv("HOSTGPU_MISSING");
    return !missing || strcmp(missing, name) != 0;
}

/* HOSTGPU_LACKING=cudnnRNNForward: that function is in no library. */
extern "C" hostgpu::AnyFn *hostgpu_function(const char *name) {
    const char *lacking = getenv("HOSTGPU_LACKING");
    if (lacking && strcmp(lacking, name) == 0) {
        return nullptr;
    }
    for (const hostgpu::Named &f : hostgpu::all()) {
        if (strcmp(f.name, name) == 0) {
            return f.function;
        }
    }
    return nullptr;
}
