# What users load and run: lib/tocha/core.so, bin/tocha and lib/libtocha.so.

# Exports only the symbols that match the pattern; everything else stays inside the library.
function(tocha_export_only target pattern)
    set(script ${CMAKE_BINARY_DIR}/${target}.map)
    file(CONFIGURE OUTPUT ${script} CONTENT "{ global: ${pattern}; local: *; };\n")
    target_link_options(${target} PRIVATE -Wl,--version-script=${script})
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${script})
endfunction()

tocha_glob(binding_sources src/vm_bindings/*.c)
set(host_sources ${binding_sources})
list(FILTER host_sources INCLUDE REGEX "/(main|repl[^/]*)\\.c$")
list(FILTER binding_sources EXCLUDE REGEX "/(main|repl[^/]*)\\.c$")

if(binding_sources)
    # The Lua functions stay undefined: the interpreter that loads the module brings them.
    add_library(tocha_core MODULE ${binding_sources} ${TOCHA_ENGINE_OBJECTS})
    tocha_common(tocha_core)
    target_include_directories(tocha_core PRIVATE $<TARGET_PROPERTY:tocha::lua,INTERFACE_INCLUDE_DIRECTORIES>)
    target_link_libraries(tocha_core PRIVATE ${TOCHA_ENGINE_LIBRARIES})
    target_compile_definitions(tocha_core PRIVATE ${isa_definitions})
    set_target_properties(tocha_core PROPERTIES
        PREFIX "" OUTPUT_NAME core LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/tocha)
    tocha_export_only(tocha_core luaopen_tocha_core)
    # A Lua state that closes unloads its modules, but the threads of the pool outlive it and run code from here.
    target_link_options(tocha_core PRIVATE -Wl,-z,nodelete)
    add_dependencies(tocha_core tocha_generate)
    install(TARGETS tocha_core LIBRARY DESTINATION lib/tocha)
endif()

if(host_sources)
    add_executable(tocha ${host_sources})
    tocha_common(tocha)
    target_link_libraries(tocha PRIVATE tocha::lua ${TOCHA_EDITOR_TARGET} Threads::Threads ${CMAKE_DL_LIBS} m)
    install(TARGETS tocha RUNTIME DESTINATION bin)
endif()

tocha_glob(capi_sources src/capi/*.c)
if(capi_sources)
    add_library(tocha_capi SHARED ${capi_sources} ${TOCHA_ENGINE_OBJECTS})
    tocha_common(tocha_capi)
    target_link_libraries(tocha_capi PRIVATE ${TOCHA_ENGINE_LIBRARIES})
    set_target_properties(tocha_capi PROPERTIES
        OUTPUT_NAME tocha VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
    tocha_export_only(tocha_capi "tocha_*")
    add_dependencies(tocha_capi tocha_generate)
    install(TARGETS tocha_capi LIBRARY DESTINATION lib)
endif()
