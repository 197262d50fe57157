# frozen_string_literal: true

# Writes the Makefile that `gem install` and `bindings/ruby/build` run: cargo builds, no mkmf.

require "rbconfig"

here = __dir__
root = File.expand_path("../..", here)
in_tree = File.exist?(File.join(root, ".git"))
target = File.join(in_tree ? root : here, "target")
profile = ENV.fetch("STEADIS_PROFILE", "release")
cargo = ENV.fetch("CARGO", "cargo")
unless system(cargo, "--version", out: File::NULL)
  abort "cargo is missing: install Rust 1.88 or later (https://rustup.rs)"
end

quoted = ->(path) { "'#{path.gsub("'", %q('\\\\''))}'".gsub("$", "$$") }
library = "#{RbConfig::CONFIG["SOEXT"] == "bundle" ? "" : "lib"}steadis_ruby.#{RbConfig::CONFIG["SOEXT"]}"
built = File.join(target, profile == "dev" ? "debug" : profile, library)
made = "steadis.#{RbConfig::CONFIG["DLEXT"]}"

File.write("Makefile", <<~MAKE)
  export RUBY = #{RbConfig.ruby}
  sitearchdir = #{RbConfig::CONFIG["sitearchdir"]}

  all:
  \t#{quoted[cargo]} rustc --quiet --locked --lib -p steadis-ruby --profile #{profile} \\
  \t  --manifest-path #{quoted[File.join(root, "Cargo.toml")]} --target-dir #{quoted[target]} --crate-type cdylib
  \trm -f #{made}
  \tcp #{quoted[built]} #{made}

  install: all
  \tmkdir -p "$(DESTDIR)$(sitearchdir)"
  \tcp #{made} "$(DESTDIR)$(sitearchdir)/#{made}"
  #{"\trm -rf #{quoted[target]}" unless in_tree}

  clean:
  \trm -f #{made}

  .PHONY: all install clean
MAKE
