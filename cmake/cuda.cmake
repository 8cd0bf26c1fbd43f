# The CUDA backend, lib/tocha/tocha_cuda.so, which nvcc compiles, and tests/hostgpu, which runs its kernels on the CPU and
# needs no more of CUDA than the toolkit's headers.

include(CheckLanguage)
tocha_glob(gpu_c_sources src/gpu/*.c)
tocha_glob(gpu_cuda_sources src/gpu/*.cu)
# Pure functions of the engine that the backend uses; a module has its own copy of them.
set(gpu_engine_sources)
foreach(name base/text tensor/activation tensor/conv_shape tensor/ctc tensor/dtype tensor/element tensor/grid_shape
        tensor/grids tensor/index_plan tensor/iter_init tensor/number tensor/pad_shape tensor/patches_shape
        tensor/resample_shape tensor/rnn tensor/shape)
    list(APPEND gpu_engine_sources ${CMAKE_SOURCE_DIR}/src/${name}.c)
endforeach()

find_program(TOCHA_NVCC nvcc HINTS ENV CUDA_HOME PATH_SUFFIXES bin PATHS /usr/local/cuda)
if(TOCHA_NVCC)
    get_filename_component(nvcc_real ${TOCHA_NVCC} REALPATH)
    get_filename_component(nvcc_folder ${nvcc_real} DIRECTORY)
endif()
find_path(TOCHA_CUDA_INCLUDE_DIR cublas_v2.h HINTS ${nvcc_folder}/../include ENV CUDA_HOME
    PATHS /usr/local/cuda PATH_SUFFIXES include)
# cuDNN's library is opened at its first use.
find_path(TOCHA_CUDNN_INCLUDE_DIR cudnn_graph.h HINTS ENV CUDNN_ROOT ${TOCHA_CUDA_INCLUDE_DIR}
    PATHS /usr/local/cuda PATH_SUFFIXES include)
set(gpu_headers)
if(TOCHA_CUDA_INCLUDE_DIR AND TOCHA_CUDNN_INCLUDE_DIR)
    set(gpu_headers ${TOCHA_CUDA_INCLUDE_DIR} ${TOCHA_CUDNN_INCLUDE_DIR})
    list(REMOVE_DUPLICATES gpu_headers)
endif()

# A module of the C part of the backend; the caller adds the kernels.
function(tocha_gpu_module target)
    add_library(${target} MODULE ${gpu_c_sources} ${gpu_engine_sources} ${ARGN})
    tocha_common(${target})
    target_include_directories(${target} SYSTEM PRIVATE ${gpu_headers})
    target_link_libraries(${target} PRIVATE Threads::Threads ${CMAKE_DL_LIBS} m)
    target_link_options(${target} PRIVATE -Wl,-z,defs -Wl,-z,nodelete)
    set_target_properties(${target} PROPERTIES
        PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/tocha)
    tocha_export_only(${target} tocha_backend_open)
    add_dependencies(${target} tocha_generate)
endfunction()

# Sources have their language by folder, and there .cu is C++.
if(gpu_headers)
    add_subdirectory(${CMAKE_SOURCE_DIR}/tests/hostgpu ${CMAKE_BINARY_DIR}/tests/hostgpu EXCLUDE_FROM_ALL)
    # Offers the backend's graphs to the real cuDNN, which needs no GPU for that: tests/gpu/plans_spec.lua runs it.
    add_executable(cudnn_plans EXCLUDE_FROM_ALL tests/gpu/plans.c ${TOCHA_ENGINE_OBJECTS})
    foreach(name attention_graph conv_graph dnn_graph dnn_library dnn_plan library)
        target_sources(cudnn_plans PRIVATE src/gpu/${name}.c)
    endforeach()
    add_library(cudnn_driver SHARED EXCLUDE_FROM_ALL tests/gpu/driver.c)
    set_target_properties(cudnn_driver PROPERTIES
        OUTPUT_NAME cuda SOVERSION 1 LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/gpu)
    tocha_common(cudnn_driver)
    target_include_directories(cudnn_driver SYSTEM PRIVATE ${gpu_headers})
    target_link_options(cudnn_plans PRIVATE -Wl,--no-as-needed)
    target_link_libraries(cudnn_plans PRIVATE cudnn_driver)
    tocha_common(cudnn_plans)
    target_include_directories(cudnn_plans SYSTEM PRIVATE ${gpu_headers})
    target_link_libraries(cudnn_plans PRIVATE ${TOCHA_ENGINE_LIBRARIES})
    set_target_properties(cudnn_plans PROPERTIES
        OUTPUT_NAME plans RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/gpu)
    add_dependencies(cudnn_plans tocha_generate)
    add_dependencies(tocha_hostgpu cudnn_plans)
endif()

if(TOCHA_CUDA)
    check_language(CUDA)
endif()
if(TOCHA_CUDA STREQUAL "ON" AND NOT CMAKE_CUDA_COMPILER)
    message(FATAL_ERROR "TOCHA_CUDA is ON, but nvcc was not found; name it with -DCMAKE_CUDA_COMPILER=")
endif()
if(TOCHA_CUDA STREQUAL "ON" AND NOT TOCHA_CUDNN_INCLUDE_DIR)
    message(FATAL_ERROR "TOCHA_CUDA is ON, but the headers of cuDNN 9 were not found; CUDNN_ROOT names their folder")
endif()
if(NOT TOCHA_CUDA)
    message(STATUS "Tocha: CUDA left out: TOCHA_CUDA is off")
    return()
elseif(NOT CMAKE_CUDA_COMPILER)
    message(STATUS "Tocha: CUDA left out: nvcc was not found")
    return()
elseif(NOT TOCHA_CUDNN_INCLUDE_DIR)
    message(STATUS "Tocha: CUDA left out: the headers of cuDNN 9 were not found; CUDNN_ROOT names their folder")
    return()
elseif(NOT gpu_headers)
    message(STATUS "Tocha: CUDA left out: cublas_v2.h was not found")
    return()
endif()

set(CMAKE_CUDA_ARCHITECTURES 75) # what the compiler is tried with: each has it
enable_language(CUDA)
if(TOCHA_CUDA_ARCHITECTURES STREQUAL "release")
    set(CMAKE_CUDA_ARCHITECTURES 75 80 86 89 90)
    if(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 12.8)
        list(APPEND CMAKE_CUDA_ARCHITECTURES 100 120)
    endif()
else()
    set(CMAKE_CUDA_ARCHITECTURES ${TOCHA_CUDA_ARCHITECTURES})
endif()
string(REPLACE ";" ", " architectures_text "${CMAKE_CUDA_ARCHITECTURES}")
message(STATUS "Tocha: CUDA ${CMAKE_CUDA_COMPILER_VERSION}, for ${architectures_text}")
set(CMAKE_CUDA_FLAGS_RELEASE "-O3 -DNDEBUG")

tocha_gpu_module(tocha_cuda ${gpu_cuda_sources})
install(TARGETS tocha_cuda LIBRARY DESTINATION lib/tocha)
