#ifndef TOCHA_HOSTGPU_LIBRARY_H
#define TOCHA_HOSTGPU_LIBRARY_H
/* Stand-ins for functions of NVIDIA's libraries, found by name in the place of dlsym. */
#include <initializer_list>

namespace hostgpu {

typedef void AnyFn(void);

struct Named {
    const char *name;
    AnyFn *function;
    template <class F> Named(const char *n, F *f) : name(n), function((AnyFn *)f) {}
};

/* A file's stand-ins: static const StandIns functions({{"cublasCreate_v2", create}, ...}). */
struct StandIns {
    StandIns(std::initializer_list<Named> functions);
};

} // namespace hostgpu

#endif
