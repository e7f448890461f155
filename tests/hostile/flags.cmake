# The hostile plugins that need odd flags, and those that are one source with a VARIANT each:
# NAME_VARIANT.so beside the plain ones.
function(hostile_variants name)
    foreach(variant IN LISTS ARGN)
        plugin_add(hostile_plugin_${name}_${variant} ${name}_${variant} tests/hostile
                   hostile/plugins/${name}.c)
        target_compile_definitions(hostile_plugin_${name}_${variant} PRIVATE
            VARIANT=${variant} VARIANT_${variant}=1)
    endforeach()
endfunction()

hostile_variants(note two huge other_magic other_major no_types type_twice bad_type
                 short unterminated)
hostile_variants(older 1_0)
hostile_variants(constructor crashes exits loops forks)
hostile_variants(entry missing refuses hangs crashes exits)
hostile_variants(init refuses silent hangs)
hostile_variants(ending stays hangs)
hostile_variants(descriptor size_zero size_huge size_small tail_zero tail_set no_name no_version
                 no_table other_name other_version other_abi other_type more_types fewer_types
                 no_types no_execute type_size_zero type_tail_zero type_tail_set flags_unknown
                 process_only bad_weight bad_jitter params_size_alone taken_type)
hostile_variants(params bad_name no_end_size twice unknown_kind min_over_max default_outside
                 default_no_kind offset_outside offset_odd size_of_other required_default
                 enum_alone struct_huge tail_set)
hostile_variants(reload nodelete two refuses slow meddles thread deinit_hangs constructor unique
                 thread_local)

target_link_options(hostile_plugin_ending_stays PRIVATE -Wl,-z,nodelete)
target_link_options(hostile_plugin_reload_nodelete PRIVATE -Wl,-z,nodelete)
target_link_options(hostile_plugin_exec_stack PRIVATE -Wl,-z,execstack)
# A linker that warns of writable code (binutils 2.39 and later) is told that it is meant.
include(CheckLinkerFlag)
check_linker_flag(C -Wl,--no-warn-rwx-segments linker_warns_of_rwx)
if(linker_warns_of_rwx)
    target_link_options(hostile_plugin_rwx_segment PRIVATE -Wl,--no-warn-rwx-segments)
endif()
# Address sanitizers would relocate more than the one place that the test is about.
target_link_options(hostile_plugin_text_relocation PRIVATE -Wl,-z,notext)
# It forges what the host reads, with the host's own means.
target_sources(hostile_plugin_rogue PRIVATE ${PROJECT_SOURCE_DIR}/core/execute/isolate/frame.c
    ${PROJECT_SOURCE_DIR}/core/plugin/name.c ${PROJECT_SOURCE_DIR}/core/support/arena.c
    ${PROJECT_SOURCE_DIR}/core/support/buffer.c)
target_include_directories(hostile_plugin_rogue PRIVATE ${PROJECT_SOURCE_DIR}/core)
