# frozen_string_literal: true

# Compares the signatures with the library: every public method has one, and each has a method.

require "steadis"

folder = File.expand_path("../sig", __dir__)
wrong = []
signed = Hash.new { |all, name| all[name] = [] }
scope = []
Dir["#{folder}/*.rbs"].sort.each do |file|
  File.foreach(file) do |line|
    case line
    when /^\s*(?:class|module) (\w+)/ then scope << Regexp.last_match(1)
    when /^\s*interface / then scope << nil
    when /^\s*end$/ then scope.pop
    when /^\s*def (?!self)([\w?!=<>\[\]]+):/ then signed[scope.last] << Regexp.last_match(1).to_sym
    when /^\s*attr_reader ([\w?]+):/ then signed[scope.last] << Regexp.last_match(1).to_sym
    when /^\s*alias (\w+[?!]?) / then signed[scope.last] << Regexp.last_match(1).to_sym
    end
  end
end

commands = signed.delete("Commands")
%w[Client Pipeline View].each do |name|
  missing = commands - Steadis.const_get(name).public_instance_methods
  wrong << "#{name} has no #{missing.join(", ")}" if missing.any?
end
%w[Client Pipeline View Subscription Script Resolver Error].each do |name|
  type = Steadis.const_get(name)
  public_ones = type.public_instance_methods(false).reject { |it| it.start_with?("_") || it == :initialize }
  public_ones -= commands
  public_ones -= %i[inspect]
  missing = public_ones - signed[name]
  wrong << "#{name} needs signatures for #{missing.join(", ")}" if missing.any?
  extra = signed[name].reject { |it| type.method_defined?(it) || it == :initialize }
  wrong << "#{name} has no #{extra.join(", ")}" if extra.any?
end
warn(*wrong) if wrong.any?
exit wrong.empty?
