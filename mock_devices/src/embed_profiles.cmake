# Writes OUTPUT, a C++ file with the texts of PROFILES (a list of JSON files); run by the build when one of them changes.
set(entries "")
foreach(profile IN LISTS PROFILES)
  cmake_path(GET profile STEM name)
  file(READ "${profile}" text)
  string(APPEND entries "    {\"${name}\", R\"json(${text})json\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "// Made from mock_devices/profiles by src/embed_profiles.cmake.
#include \"builtin_profiles.h\"

namespace mock {

static constexpr BuiltinProfile kProfiles[] = {
${entries}};

std::span<const BuiltinProfile> builtin_profile_texts() { return kProfiles; }

}  // namespace mock
")
