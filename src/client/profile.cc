#include "client/profile.h"

#include <aws/sdkutils/aws_profile.h>

#include <cstdlib>

#include "client/aws_runtime.h"

namespace craton::client {
namespace {

using Collection = std::shared_ptr<aws_profile_collection>;

Collection owned(aws_profile_collection* collection) {
  return {collection, [](aws_profile_collection* one) {
            if (one) aws_profile_collection_release(one);
          }};
}

/// Both files; what one of them says of the same profile, credentials win.
Collection read_files() {
  aws_allocator* allocator = aws_default_allocator();
  const AwsString config(aws_get_config_file_path(allocator, nullptr));
  const AwsString credentials(aws_get_credentials_file_path(allocator, nullptr));
  const auto read = [&](const AwsString& path, aws_profile_source_type type) {
    return owned(path ? aws_profile_collection_new_from_file(allocator, path.get(), type)
                      : nullptr);
  };
  const Collection of_config = read(config, AWS_PST_CONFIG);
  const Collection of_credentials = read(credentials, AWS_PST_CREDENTIALS);
  if (!of_config && !of_credentials) return nullptr;
  return owned(
      aws_profile_collection_new_from_merge(allocator, of_config.get(), of_credentials.get()));
}

const aws_profile* profile_of(const Collection& collection, std::string_view name) {
  if (!collection) return nullptr;
  return aws_profile_collection_get_profile(collection.get(), aws_string_of(name).get());
}

std::optional<std::string> property_of(const aws_profile* profile, std::string_view name) {
  const aws_profile_property* property =
      profile ? aws_profile_get_property(profile, aws_string_of(name).get()) : nullptr;
  if (!property) return std::nullopt;
  return text_of(aws_profile_property_get_value(property));
}

}  // namespace

Result<Profile> Profile::read(std::string_view name) {
  begin_aws();
  Profile profile;
  profile.name_ = name;
  const char* variable = std::getenv("AWS_PROFILE");
  if (profile.name_.empty() && variable) profile.name_ = variable;
  profile.told_ = !profile.name_.empty();
  if (!profile.told_) profile.name_ = "default";
  profile.collection_ = read_files();
  profile.exists_ = profile_of(profile.collection_, profile.name_) != nullptr;
  if (profile.told_ && !profile.exists_) {
    return Error{ErrorCode::validation,
                 "there is no profile '" + profile.name_ +
                     "' in the AWS configuration files; aws configure --profile " + profile.name_ +
                     " makes one"};
  }
  return profile;
}

std::optional<std::string> Profile::find(std::string_view property) const {
  return property_of(profile_of(collection_, name_), property);
}

std::optional<std::string> Profile::find_of_service(std::string_view service,
                                                    std::string_view property) const {
  const auto section = find("services");
  if (!section) return std::nullopt;
  const aws_profile* services = aws_profile_collection_get_section(
      collection_.get(), AWS_PROFILE_SECTION_TYPE_SERVICES, aws_string_of(*section).get());
  const aws_profile_property* found =
      services ? aws_profile_get_property(services, aws_string_of(service).get()) : nullptr;
  const aws_string* value =
      found ? aws_profile_property_get_sub_property(found, aws_string_of(property).get()) : nullptr;
  return value ? std::optional(text_of(value)) : std::nullopt;
}

}  // namespace craton::client
