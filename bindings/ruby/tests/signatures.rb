# frozen_string_literal: true

# Compares the signatures with the library: all are valid, every public method has one, and each
# has a method.

require "rbs"
require "steadis"

loader = RBS::EnvironmentLoader.new
loader.add(path: Pathname(__dir__).join("../sig"))
environment = RBS::Environment.from_loader(loader).resolve_type_names
builder = RBS::DefinitionBuilder.new(env: environment)

# Drivers have the methods that their clients ask for.
wrong = Steadis.constants.sort.reject { |name| Steadis.autoload?(name) }.filter_map do |name|
  type = Steadis.const_get(name)
  next unless type.instance_of?(Class)

  signed_name = RBS::TypeName.new(name:, namespace: RBS::Namespace.parse("::Steadis"))
  next "#{name} has no signature" unless environment.class_decls.key?(signed_name)

  signed = builder.build_instance(signed_name).methods
  signed = signed.select { |_, it| it.accessibility == :public && it.defined_in.to_s.start_with?("::Steadis") }.keys
  ours = type.public_instance_methods.select { |it| type.instance_method(it).owner.to_s.start_with?("Steadis") }
  ours = ours.reject { |it| it.start_with?("_") || %i[inspect to_s == initialize].include?(it) }
  # A Struct can be written to; ours are read.
  ours = ours.reject { |it| it.end_with?("=") } if type < Struct
  missing = ours - signed
  extra = signed.reject { |it| type.method_defined?(it) || it == :initialize }
  ["#{name} needs signatures for #{missing.join(", ")}", "#{name} has no #{extra.join(", ")}"]
    .zip([missing, extra]).filter_map { |words, which| words if which.any? }
end.flatten
warn(*wrong) if wrong.any?
exit wrong.empty?
