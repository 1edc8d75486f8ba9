import {
  createRegistry,
  type DescExtension,
  type DescField,
  type DescFile,
  type DescMessage,
  getExtension,
  type Message,
  type Registry,
} from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  type EnumDescriptorProto,
  EnumDescriptorProtoSchema,
  EnumValueDescriptorProtoSchema,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  FileOptionsSchema,
  OneofDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

/** The keyword of every type that needs no name of its own. */
const KEYWORDS = new Map<Type, string>([
  [Type.DOUBLE, "double"],
  [Type.FLOAT, "float"],
  [Type.INT64, "int64"],
  [Type.UINT64, "uint64"],
  [Type.INT32, "int32"],
  [Type.FIXED64, "fixed64"],
  [Type.FIXED32, "fixed32"],
  [Type.BOOL, "bool"],
  [Type.STRING, "string"],
  [Type.BYTES, "bytes"],
  [Type.UINT32, "uint32"],
  [Type.SFIXED32, "sfixed32"],
  [Type.SFIXED64, "sfixed64"],
  [Type.SINT32, "sint32"],
  [Type.SINT64, "sint64"],
]);

const LABELS = new Map<Label, string>([
  [Label.OPTIONAL, "optional "],
  [Label.REQUIRED, "required "],
  [Label.REPEATED, "repeated "],
]);

/** One past the greatest field number, as the end of an extension range has it. */
const MAX_FIELD_END = 536_870_912;

/**
 * Prints a descriptor as the proto2 source that compiles to it; `header` goes on top as comments. Throws for what it
 * does not know how to print (services, maps, groups, defaults, editions, …), so nothing is ever left out silently.
 */
export function printProto(file: DescFile, header: readonly string[]): string {
  return new Printer(file).print(header);
}

class Printer {
  readonly #file: DescFile;
  readonly #registry: Registry;
  #lines: string[] = [];
  #indent = "";

  constructor(file: DescFile) {
    this.#file = file;
    this.#registry = createRegistry(file, ...file.dependencies);
  }

  print(header: readonly string[]): string {
    const { proto } = this.#file;
    if (proto.syntax !== "" && proto.syntax !== "proto2") throw new Error(`cannot print syntax ${proto.syntax}`);
    onlyFields(FileDescriptorProtoSchema, proto, [
      "name",
      "package",
      "dependency",
      "message_type",
      "enum_type",
      "extension",
      "options",
      "syntax",
    ]);
    for (const line of header) this.#line(`// ${line}`.trimEnd());
    this.#line("");
    this.#line('syntax = "proto2";');
    this.#line("");
    this.#line(`package ${proto.package};`);
    this.#line("");
    for (const path of proto.dependency) this.#line(`import ${quote(path)};`);
    if (proto.options !== undefined) {
      this.#line("");
      for (const option of this.#options(FileOptionsSchema, proto.options).toSorted()) this.#line(`option ${option};`);
    }
    this.#extensions(proto.extension);
    for (const message of proto.messageType) this.#message(message);
    for (const enumeration of proto.enumType) this.#enum(enumeration);
    return `${this.#lines.join("\n")}\n`;
  }

  #line(text: string): void {
    this.#lines.push(text === "" ? "" : this.#indent + text.replaceAll("\n", `\n${this.#indent}`));
  }

  #block(opening: string, content: () => void): void {
    this.#line(`${opening} {`);
    const outer = this.#indent;
    this.#indent += "  ";
    content();
    this.#indent = outer;
    this.#line("}");
  }

  #extensions(extensions: readonly FieldDescriptorProto[]): void {
    for (const extendee of new Set(extensions.map((extension) => extension.extendee))) {
      this.#line("");
      this.#block(`extend ${this.#reference(extendee)}`, () => {
        for (const extension of extensions) if (extension.extendee === extendee) this.#field(extension, true);
      });
    }
  }

  #message(message: DescriptorProto): void {
    onlyFields(DescriptorProtoSchema, message, [
      "name",
      "field",
      "nested_type",
      "enum_type",
      "oneof_decl",
      "extension_range",
      "reserved_range",
      "reserved_name",
    ]);
    this.#line("");
    this.#block(`message ${message.name}`, () => {
      for (const nested of message.enumType) this.#enum(nested);
      for (const nested of message.nestedType) this.#message(nested);
      this.#fields(message);
      const extensionRanges = message.extensionRange.map(({ start, end }) => range(start, end - 1, MAX_FIELD_END - 1));
      if (extensionRanges.length > 0) this.#line(`extensions ${extensionRanges.join(", ")};`);
      this.#reserved(
        message.reservedRange.map(({ start, end }) => range(start, end - 1, MAX_FIELD_END - 1)),
        message.reservedName,
      );
    });
  }

  /** Fields in their order; those of a oneof stand together. */
  #fields(message: DescriptorProto): void {
    const printed = new Set<number>();
    for (const field of message.field) {
      const index = field.oneofIndex;
      if (!isOneofMember(field)) {
        this.#field(field, true);
      } else if (!printed.has(index)) {
        printed.add(index);
        const oneof = message.oneofDecl[index]!;
        onlyFields(OneofDescriptorProtoSchema, oneof, ["name"]);
        this.#block(`oneof ${oneof.name}`, () => {
          for (const member of message.field)
            if (isOneofMember(member) && member.oneofIndex === index) this.#field(member, false);
        });
      }
    }
  }

  #field(field: FieldDescriptorProto, labelled: boolean): void {
    onlyFields(FieldDescriptorProtoSchema, field, [
      "name",
      "extendee",
      "number",
      "label",
      "type",
      "type_name",
      "oneof_index",
      "json_name",
      "options",
    ]);
    if (field.jsonName !== "" && field.jsonName !== lowerCamel(field.name))
      throw new Error(`cannot print the JSON name of ${field.name}`);
    const type = KEYWORDS.get(field.type) ?? this.#typeReference(field);
    const declaration = `${labelled ? LABELS.get(field.label) : ""}${type} ${field.name} = ${field.number}`;
    const options = field.options === undefined ? [] : this.#options(FieldOptionsSchema, field.options);
    if (options.length === 0) this.#line(`${declaration};`);
    else if (options.length === 1) this.#line(`${declaration} [${options.join()}];`);
    else this.#line(`${declaration} [\n${indent(options.join(",\n"))}\n];`);
  }

  #typeReference(field: FieldDescriptorProto): string {
    if (field.type !== Type.MESSAGE && field.type !== Type.ENUM)
      throw new Error(`cannot print the type of ${field.name}`);
    return this.#reference(field.typeName);
  }

  #enum(enumeration: EnumDescriptorProto): void {
    onlyFields(EnumDescriptorProtoSchema, enumeration, ["name", "value", "reserved_range", "reserved_name"]);
    this.#line("");
    this.#block(`enum ${enumeration.name}`, () => {
      for (const value of enumeration.value) {
        onlyFields(EnumValueDescriptorProtoSchema, value, ["name", "number"]);
        this.#line(`${value.name} = ${value.number};`);
      }
      this.#reserved(
        enumeration.reservedRange.map(({ start, end }) => range(start, end, 0x7fff_ffff)),
        enumeration.reservedName,
      );
    });
  }

  #reserved(ranges: readonly string[], names: readonly string[]): void {
    if (ranges.length > 0) this.#line(`reserved ${ranges.join(", ")};`);
    if (names.length > 0) this.#line(`reserved ${names.map(quote).join(", ")};`);
  }

  /** What stands between the brackets, or after `option`: one `name = value` each. */
  #options(schema: DescMessage, options: Message): string[] {
    const printed: string[] = [];
    const standard = reflect(schema, options);
    for (const field of schema.fields) {
      for (const value of literals(standard, field)) printed.push(`${field.name} = ${value}`);
    }
    for (const number of new Set(options.$unknown?.map(({ no }) => no))) {
      const extension = this.#registry.getExtensionFor(schema, number);
      if (extension === undefined) throw new Error(`cannot print option ${number} of ${schema.typeName}`);
      printed.push(...this.#customOption(extension, options));
    }
    return printed;
  }

  #customOption(extension: DescExtension, options: Message): string[] {
    if (extension.fieldKind !== "message") throw new Error(`cannot print option ${extension.typeName}`);
    const value = reflect(extension.message, getExtension(options, extension) as Message);
    if ((value.getUnknown()?.length ?? 0) > 0) throw new Error(`cannot print all of option ${extension.typeName}`);
    const name = `(${this.#reference(extension.typeName)})`;
    return extension.message.fields.flatMap((field) =>
      literals(value, field).map((literal) => `${name}.${field.name} = ${literal}`),
    );
  }

  /** A name as it is written inside the file's own package. */
  #reference(typeName: string): string {
    const absolute = typeName.replace(/^\./, "");
    const own = `${this.#file.proto.package}.`;
    return absolute.startsWith(own) ? absolute.slice(own.length) : absolute;
  }
}

/** Throws when a field is set that the printer would leave out. */
function onlyFields(schema: DescMessage, message: Message, names: readonly string[]): void {
  const reflected = reflect(schema, message);
  for (const field of reflected.fields) {
    if (reflected.isSet(field) && !names.includes(field.name))
      throw new Error(`cannot print ${field.name} of a ${schema.name}`);
  }
}

function isOneofMember(field: FieldDescriptorProto): boolean {
  return reflect(FieldDescriptorProtoSchema, field).isSet(FieldDescriptorProtoSchema.field.oneofIndex);
}

/** The values of one field in text format: none when it is not set, several when it is repeated. */
function literals(message: ReflectMessage, field: DescField): string[] {
  if (!message.isSet(field)) return [];
  if (field.fieldKind === "scalar") return [scalarLiteral(message.get(field))];
  if (field.fieldKind === "message") return [messageLiteral(message.get(field))];
  if (field.fieldKind === "list" && field.listKind === "scalar") return [...message.get(field)].map(scalarLiteral);
  if (field.fieldKind === "list" && field.listKind === "message") {
    return [...message.get(field)].map((item) => messageLiteral(item as ReflectMessage));
  }
  throw new Error(`cannot print the value of ${field.name}`);
}

function messageLiteral(message: ReflectMessage): string {
  const members = message.fields.flatMap((field) =>
    literals(message, field).map((literal) => `${field.name}: ${literal}`),
  );
  return `{\n${indent(members.join("\n"))}\n}`;
}

function scalarLiteral(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "boolean" || typeof value === "bigint" || Number.isInteger(value)) return String(value);
  throw new Error(`cannot print the value ${String(value)}`);
}

/** A string literal that every compiler reads alike. */
function quote(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  if (/[^\P{Cc}]/u.test(escaped)) throw new Error(`cannot print the control character in ${JSON.stringify(text)}`);
  return `"${escaped}"`;
}

function range(first: number, last: number, greatest: number): string {
  if (first === last) return String(first);
  return `${first} to ${last === greatest ? "max" : last}`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}

/** The JSON name that a field has unless it is given another. */
function lowerCamel(name: string): string {
  return name.replaceAll(/_+([A-Za-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}
