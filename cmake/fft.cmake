# Fourier transforms: lib/tocha/tocha_fft_<isa>.so, which the engine opens at the first transform. A library for each
# instruction set, since of inline functions and templates a library has one copy, compiled for whichever set.

set(fft_isas ${isas})
list(REMOVE_ITEM fft_isas avx512) # slower than AVX2 here: src/cpu/fft.c
set(fft_modules)
foreach(isa ${fft_isas})
    set(target tocha_fft_${isa})
    add_library(${target} MODULE src/cpu/fft_module.cpp)
    tocha_common(${target})
    target_compile_options(${target} PRIVATE ${isa_flags_${isa}})
    target_include_directories(${target} SYSTEM PRIVATE ${pocketfft_INCLUDE_DIR})
    target_link_options(${target} PRIVATE -Wl,-z,defs)
    set_target_properties(${target} PROPERTIES
        PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/tocha)
    tocha_export_only(${target} tocha_fft_open)
    install(TARGETS ${target} LIBRARY DESTINATION lib/tocha)
    list(APPEND fft_modules ${target})
endforeach()
add_dependencies(tocha_core ${fft_modules})
add_dependencies(tocha_capi ${fft_modules})
