# One program for each tests/c/*.c, linked with the engine itself; built by the target c_tests alone.

tocha_glob(test_sources tests/c/*.c)
add_custom_target(c_tests)
foreach(source ${test_sources})
    get_filename_component(name ${source} NAME_WE)
    add_executable(c_${name} EXCLUDE_FROM_ALL ${source} ${TOCHA_ENGINE_OBJECTS})
    tocha_common(c_${name})
    target_include_directories(c_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/c)
    target_link_libraries(c_${name} PRIVATE ${TOCHA_ENGINE_LIBRARIES})
    target_compile_definitions(c_${name} PRIVATE ${isa_definitions})
    set_target_properties(c_${name} PROPERTIES
        OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/c)
    add_dependencies(c_${name} tocha_generate)
    add_dependencies(c_tests c_${name})
endforeach()
