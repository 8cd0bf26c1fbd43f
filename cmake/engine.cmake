# The engine as object libraries: tocha_engine, and tocha_kernels_<isa> once per instruction set.

function(tocha_glob out)
    set(found)
    foreach(pattern ${ARGN})
        file(GLOB part CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${pattern})
        list(APPEND found ${part})
    endforeach()
    # A body that other files include once per type is no file of its own.
    list(FILTER found EXCLUDE REGEX "\\.inc\\.c$")
    set(${out} ${found} PARENT_SCOPE)
endfunction()

# What is derived from the operator table, written by a program that includes the table itself. The generator
# writes beside, and only what changed is copied, so that an edit of a doc string does not rebuild the engine.
tocha_glob(gen_sources src/tensor/gen/*.c)
set(generated ${CMAKE_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${generated})
add_custom_target(tocha_generate)
if(gen_sources)
    set(generated_files ops_gen.h ops_gen.inc tocha_ops.h tocha_ops.inc)
    set(copies)
    set(outputs)
    foreach(name ${generated_files})
        list(APPEND copies COMMAND ${CMAKE_COMMAND} -E copy_if_different
            ${generated}.new/${name} ${generated}/${name})
        list(APPEND outputs ${generated}/${name})
    endforeach()
    add_executable(tocha_gen ${gen_sources})
    target_compile_options(tocha_gen PRIVATE -Wall -Wextra -Wconversion)
    if(TOCHA_WERROR)
        target_compile_options(tocha_gen PRIVATE -Werror)
    endif()
    target_compile_definitions(tocha_gen PRIVATE _GNU_SOURCE)
    target_include_directories(tocha_gen PRIVATE ${CMAKE_SOURCE_DIR}/src)
    set_target_properties(tocha_gen PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/gen)
    add_custom_command(OUTPUT ${generated}.stamp
        BYPRODUCTS ${outputs}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${generated}.new
        COMMAND tocha_gen ${generated}.new
        ${copies}
        COMMAND ${CMAKE_COMMAND} -E touch ${generated}.stamp
        DEPENDS tocha_gen
        COMMENT "Deriving from the operator table"
        VERBATIM)
    add_custom_target(tocha_generate_files DEPENDS ${generated}.stamp)
    add_dependencies(tocha_generate tocha_generate_files)
endif()

set(isas baseline)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    set(isas ${TOCHA_ISAS})
    if(NOT "baseline" IN_LIST isas)
        message(FATAL_ERROR "TOCHA_ISAS must hold baseline, got \"${TOCHA_ISAS}\"")
    endif()
endif()
set(isa_flags_baseline "")
set(isa_flags_avx2 -march=x86-64-v3)
set(isa_flags_avx512 -march=x86-64-v4 -mprefer-vector-width=512)

# An object library for one instruction set; the sources see its name as ISA.
function(tocha_isa_library target isa)
    add_library(${target} OBJECT EXCLUDE_FROM_ALL ${ARGN})
    tocha_common(${target})
    target_compile_options(${target} PRIVATE ${isa_flags_${isa}})
    target_compile_definitions(${target} PRIVATE ISA=${isa})
    add_dependencies(${target} tocha_generate)
endfunction()

tocha_glob(kernel_sources src/cpu/kernels/*.c)
set(TOCHA_ENGINE_OBJECTS)
set(isa_definitions)
foreach(isa ${isas})
    if(NOT DEFINED isa_flags_${isa})
        message(FATAL_ERROR "TOCHA_ISAS: unknown instruction set \"${isa}\"; known: baseline, avx2, avx512")
    endif()
    string(TOUPPER ${isa} upper)
    list(APPEND isa_definitions TOCHA_ISA_${upper}=1)
    if(kernel_sources)
        tocha_isa_library(tocha_kernels_${isa} ${isa} ${kernel_sources})
        list(APPEND TOCHA_ENGINE_OBJECTS $<TARGET_OBJECTS:tocha_kernels_${isa}>)
    endif()
endforeach()
string(REPLACE ";" ", " isa_text "${isas}")
message(STATUS "Tocha: kernels for ${isa_text}")

tocha_glob(engine_sources src/base/*.c src/tensor/*.c src/cpu/*.c src/autograd/*.c)
if(engine_sources)
    add_library(tocha_engine OBJECT ${engine_sources})
    tocha_common(tocha_engine)
    target_link_libraries(tocha_engine PRIVATE tocha::zlib tocha::jansson)
    target_compile_definitions(tocha_engine PRIVATE ${isa_definitions})
    add_dependencies(tocha_engine tocha_generate)
    list(APPEND TOCHA_ENGINE_OBJECTS $<TARGET_OBJECTS:tocha_engine>)
endif()
set(TOCHA_ENGINE_LIBRARIES tocha::zlib tocha::jansson Threads::Threads ${CMAKE_DL_LIBS} m)
