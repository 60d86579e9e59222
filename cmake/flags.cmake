# Warnings are errors under both compilers; hardening and frame pointers in every build.
add_library(hawser_flags INTERFACE)
target_compile_options(hawser_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wold-style-cast -Wno-missing-field-initializers -Werror
  -fno-omit-frame-pointer -fstack-protector-strong)
target_include_directories(hawser_flags INTERFACE ${CMAKE_SOURCE_DIR})

set(HAWSER_SANITIZE "" CACHE STRING "address (with undefined) or thread")
if(HAWSER_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(HAWSER_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
else()
  add_compile_options(-D_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
endif()

# A library of one folder: hawser_library(NAME SOURCES … LINK … PRIVATE_LINK …). Sources named under
# TWIN_SOURCES are compiled a second time into hawser_NAME_variants, in which the simulator's broken
# variants (conflict/variant.h) can be switched on; only tests link that one.
function(hawser_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;TWIN_SOURCES;LINK;PRIVATE_LINK;TWIN_LINK" ${ARGN})
  add_library(hawser_${name} STATIC ${ARG_SOURCES} ${ARG_TWIN_SOURCES})
  target_link_libraries(hawser_${name} PUBLIC ${ARG_LINK} PRIVATE hawser_flags ${ARG_PRIVATE_LINK})
  target_include_directories(hawser_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  if(HAWSER_TESTS AND ARG_TWIN_SOURCES)
    add_library(hawser_${name}_variants STATIC ${ARG_TWIN_SOURCES})
    target_compile_definitions(hawser_${name}_variants PUBLIC HAWSER_VARIANTS)
    target_link_libraries(hawser_${name}_variants PUBLIC ${ARG_TWIN_LINK} PRIVATE hawser_flags ${ARG_PRIVATE_LINK})
    target_include_directories(hawser_${name}_variants PUBLIC ${CMAKE_SOURCE_DIR})
  endif()
endfunction()

# A doctest program: hawser_test(NAME SOURCES … LINK …), run by ctest.
function(hawser_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES} ${CMAKE_SOURCE_DIR}/tests/support/doctest_main.cc)
  target_link_libraries(${name} PRIVATE hawser_flags ${ARG_LINK})
  add_test(NAME ${name} COMMAND ${name})
endfunction()
