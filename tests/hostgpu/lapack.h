#ifndef TOCHA_HOSTGPU_LAPACK_H
#define TOCHA_HOSTGPU_LAPACK_H
/* LAPACK out of OpenBLAS, by the letter of a type, for the stand-ins of cuSOLVER and cuBLAS. */
#include <complex>

namespace hostgpu {

template <class T> struct Typed;
template <> struct Typed<float> {
    typedef float Part;
    enum { LETTER = 's', COMPLEX = 0 };
};
template <> struct Typed<double> {
    typedef double Part;
    enum { LETTER = 'd', COMPLEX = 0 };
};
template <> struct Typed<std::complex<float>> {
    typedef float Part;
    enum { LETTER = 'c', COMPLEX = 1 };
};
template <> struct Typed<std::complex<double>> {
    typedef double Part;
    enum { LETTER = 'z', COMPLEX = 1 };
};

/* The routine of that letter and name; ends the process where there is none. */
void *lapack_find(char letter, const char *name);

/* Calls the routine of T's name with Fortran's arguments, lengths of texts among them. */
template <class T, class... A> void lapack(const char *name, A... arguments) {
    typedef void Routine(A...);
    ((Routine *)lapack_find((char)Typed<T>::LETTER, name))(arguments...);
}

} // namespace hostgpu

#endif
