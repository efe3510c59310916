// The schema as internal/doc has it; ui/build serves it.
declare module "masthead:schema" {
  interface Attr {
    default: string | number;
    options?: string[];
  }
  const description: {
    nodes: Record<string, { group?: string; content?: string; atom?: boolean; marks?: string; attrs?: Record<string, Attr> }>;
    marks: { type: string; attrs?: Record<string, Attr> }[];
  };
  export default description;
}
