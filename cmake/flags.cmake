# What every target is compiled with: tocha_common(TARGET).

add_library(tocha_flags INTERFACE)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_FLAGS_RELEASE "-O3 -DNDEBUG -g1")
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_STANDARD 17)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(warnings -Wall -Wextra)
if(TOCHA_WERROR)
    list(APPEND warnings -Werror)
endif()
set(in_c $<COMPILE_LANGUAGE:C>)
set(in_host_language $<COMPILE_LANGUAGE:C,CXX>)
set(in_cuda $<COMPILE_LANGUAGE:CUDA>)
string(REPLACE ";" "," cuda_host_warnings "${warnings}")
target_compile_options(tocha_flags INTERFACE
    "$<${in_host_language}:${warnings}>"
    $<${in_c}:-Wconversion>
    "$<${in_host_language}:-fno-math-errno;-fno-trapping-math;-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=>"
    $<${in_cuda}:-Xcompiler=${cuda_host_warnings},-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=>)
if(TOCHA_WERROR)
    target_compile_options(tocha_flags INTERFACE "$<${in_cuda}:SHELL:-Werror all-warnings>")
endif()
target_compile_definitions(tocha_flags INTERFACE
    _GNU_SOURCE TOCHA_VERSION="${PROJECT_VERSION}")
target_include_directories(tocha_flags INTERFACE
    ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include ${CMAKE_BINARY_DIR}/generated)

if(TOCHA_SANITIZE STREQUAL "address")
    set(sanitizers address,undefined)
elseif(TOCHA_SANITIZE STREQUAL "thread")
    set(sanitizers thread)
elseif(NOT TOCHA_SANITIZE STREQUAL "")
    message(FATAL_ERROR "TOCHA_SANITIZE must be address, thread or empty, got \"${TOCHA_SANITIZE}\"")
endif()
if(sanitizers)
    # NDEBUG goes too: a sanitizer build is where assertions should speak.
    set(CMAKE_C_FLAGS_RELEASE "-O1 -g")
    set(CMAKE_CXX_FLAGS_RELEASE "-O1 -g")
    target_compile_options(tocha_flags INTERFACE
        "$<${in_host_language}:-fsanitize=${sanitizers};-fno-sanitize-recover=all;-fno-omit-frame-pointer>")
    target_link_options(tocha_flags INTERFACE -fsanitize=${sanitizers})
endif()

function(tocha_common target)
    target_link_libraries(${target} PRIVATE tocha_flags)
    set_target_properties(${target} PROPERTIES
        POSITION_INDEPENDENT_CODE ON
        C_VISIBILITY_PRESET hidden
        CXX_VISIBILITY_PRESET hidden
        CUDA_VISIBILITY_PRESET hidden)
endfunction()
