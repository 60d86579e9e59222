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

# Code that runs at a program's start or once per command: little optimisation, line numbers only.
function(hawser_cold)
  foreach(name ${ARGN})
    target_compile_options(${name} PRIVATE -O1 -g1)
  endforeach()
endfunction()

# What is built once and runs for moments is compiled for a short build, with line numbers only.
function(hawser_quick_build)
  foreach(name ${ARGN})
    target_compile_options(${name} PRIVATE -O0 -g1 -U_FORTIFY_SOURCE)
  endforeach()
endfunction()

# doctest's own code and main(), compiled once for all test programs.
function(hawser_doctest_main)
  if(NOT TARGET hawser_doctest_main)
    add_library(hawser_doctest_main OBJECT ${CMAKE_SOURCE_DIR}/tests/support/doctest_main.cc)
    target_link_libraries(hawser_doctest_main PRIVATE hawser_flags)
    hawser_quick_build(hawser_doctest_main)
  endif()
endfunction()

# A doctest program: hawser_test(NAME [LONG] [THREADS] SOURCES … LINK …), run by ctest. LONG: it
# computes for seconds, so its own files are optimised. THREADS: it has threads that could race, so
# it runs under the thread sanitizer too.
function(hawser_test name)
  cmake_parse_arguments(ARG "LONG;THREADS" "" "SOURCES;LINK" ${ARGN})
  hawser_doctest_main()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE hawser_flags hawser_doctest_main ${ARG_LINK})
  target_compile_definitions(${name} PRIVATE DOCTEST_CONFIG_SUPER_FAST_ASSERTS)
  if(NOT ARG_LONG)
    hawser_quick_build(${name})
  endif()
  add_test(NAME ${name} COMMAND ${name})
  if(ARG_THREADS)
    set_tests_properties(${name} PROPERTIES LABELS threads)
    if(NOT TARGET hawser_threaded_tests)
      add_custom_target(hawser_threaded_tests)
    endif()
    add_dependencies(hawser_threaded_tests ${name})
  endif()
endfunction()
