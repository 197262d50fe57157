# frozen_string_literal: true

Gem::Specification.new do |gem|
  gem.name = "steadis"
  gem.version = File.read(File.join(__dir__, "Cargo.toml"))[/^version = "([^"]+)"/, 1]
  gem.summary = "One Redis connection that stays up through failover"
  gem.description = "Finds the primary through the Sentinels, connects, and keeps the application running " \
                    "while the primary changes. A Rust core; building the gem needs cargo."
  gem.authors = ["The Steadis authors"]
  gem.licenses = %w[MIT Apache-2.0]
  gem.required_ruby_version = ">= 3.1"
  gem.metadata = { "rubygems_mfa_required" => "true" }

  # The workspace as it is, with the manifest of every member, for cargo reads them all.
  gem.files = Dir.chdir(__dir__) do
    members = File.read("Cargo.toml")[/^members = \[(.*?)\]/m, 1].scan(/"([^"]+)"/).flatten
    members.map { |member| "#{member}/Cargo.toml" } +
      Dir["Cargo.{toml,lock}", "LICENSE-*", "README.md", "docs/ruby.md", "core/commands.txt",
          *members.flat_map { |member| ["#{member}/build.rs", "#{member}/src/**/*.rs"] },
          "bindings/ruby/extconf.rb", "bindings/ruby/lib/**/*.rb", "bindings/ruby/sig/*.rbs"]
  end
  gem.require_paths = ["bindings/ruby/lib"]
  gem.extensions = ["bindings/ruby/extconf.rb"]
end
