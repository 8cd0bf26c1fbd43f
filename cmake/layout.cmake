# The Lua side: linked into the build tree, so that an edit counts at once, and copied by the installation.

file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/share/tocha)
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/lua ${CMAKE_BINARY_DIR}/share/tocha/lua SYMBOLIC)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/share/lua/5.4)
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/cmake/lua5.4/tocha.lua ${CMAKE_BINARY_DIR}/share/lua/5.4/tocha.lua
    SYMBOLIC)

install(DIRECTORY ${CMAKE_SOURCE_DIR}/lua/ DESTINATION share/tocha/lua OPTIONAL)
install(FILES ${CMAKE_SOURCE_DIR}/cmake/lua5.4/tocha.lua DESTINATION share/lua/5.4)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/NOTICE DESTINATION share/doc/tocha)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/tocha DESTINATION include OPTIONAL FILES_MATCHING PATTERN "*.h")
if(gen_sources)
    install(FILES ${CMAKE_BINARY_DIR}/generated/tocha_ops.h DESTINATION include/tocha)
endif()
