# find_package(steadis): the targets steadis::steadis (shared) and steadis::steadis_static.
get_filename_component(_steadis_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET steadis::steadis)
  add_library(steadis::steadis SHARED IMPORTED)
  set_target_properties(steadis::steadis PROPERTIES
    IMPORTED_LOCATION "${_steadis_prefix}/lib/libsteadis.so.@VERSION@"
    IMPORTED_SONAME "libsteadis.so.0"
    INTERFACE_INCLUDE_DIRECTORIES "${_steadis_prefix}/include")

  add_library(steadis::steadis_static STATIC IMPORTED)
  set_target_properties(steadis::steadis_static PROPERTIES
    IMPORTED_LOCATION "${_steadis_prefix}/lib/libsteadis.a"
    INTERFACE_LINK_LIBRARIES "gcc_s;util;rt;pthread;m;dl"
    INTERFACE_INCLUDE_DIRECTORIES "${_steadis_prefix}/include")
endif()

unset(_steadis_prefix)
