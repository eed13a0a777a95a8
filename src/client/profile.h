// AWS configuration files: profiles, and the sections that they refer to. Over aws-c-sdkutils.
//
//   ~/.aws/config  ~/.aws/credentials, or where AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE say
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

struct aws_profile_collection;

namespace craton::client {

/// One profile of both files together. Reads them when it is made.
class Profile {
 public:
  /// `name`: empty: AWS_PROFILE, else "default". Fails with `validation` when a profile that was
  /// asked for by name is in neither file.
  static Result<Profile> read(std::string_view name);

  const std::string& name() const { return name_; }

  /// False: "default", which nobody asked for, is not there.
  bool exists() const { return exists_; }

  /// True: by the caller, or AWS_PROFILE.
  bool told() const { return told_; }

  /// The property of that name; nullopt when there is none.
  std::optional<std::string> find(std::string_view property) const;

  /// Of the profile's `services` section: "bedrock_runtime", "endpoint_url".
  std::optional<std::string> find_of_service(std::string_view service,
                                             std::string_view property) const;

  /// Both files, for aws-c-auth. Null when neither is there.
  aws_profile_collection* collection() const { return collection_.get(); }

 private:
  std::string name_;
  bool told_ = false;
  bool exists_ = false;
  std::shared_ptr<aws_profile_collection> collection_;
};

}  // namespace craton::client
