# cuDNN's headers, which the CUDA backend is compiled with; the library itself is opened at its first use.

if(NOT TOCHA_CUDA)
    return()
endif()
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
    return()
endif()

get_filename_component(cudnn_toolkit ${CMAKE_CUDA_COMPILER} REALPATH)
get_filename_component(cudnn_toolkit ${cudnn_toolkit} DIRECTORY)
find_path(TOCHA_CUDNN_INCLUDE_DIR cudnn_graph.h HINTS ENV CUDNN_ROOT ${cudnn_toolkit}/.. PATHS /usr/local/cuda
    PATH_SUFFIXES include)
if(TOCHA_CUDNN_INCLUDE_DIR)
    # Where it is the toolkit's own folder, the backend's targets have it.
    if(NOT EXISTS ${TOCHA_CUDNN_INCLUDE_DIR}/cuda_runtime_api.h)
        include_directories(AFTER SYSTEM ${TOCHA_CUDNN_INCLUDE_DIR})
    endif()
elseif(TOCHA_CUDA STREQUAL "ON")
    message(FATAL_ERROR "TOCHA_CUDA is ON, but the headers of cuDNN 9 were not found; CUDNN_ROOT names their folder")
else()
    message(STATUS "Tocha: the headers of cuDNN 9, which CUDA needs, were not found; CUDNN_ROOT names their folder")
    set(TOCHA_CUDA OFF)
endif()
