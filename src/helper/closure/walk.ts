/**
 * Scopes of JavaScript: which declaration each name in a tree stands for. The rules are ECMA-262's, with those for
 * sloppy code in annex B.
 */
import type { AnyNode, Class, Function as FunctionNode, Node, Pattern } from 'acorn';

/** A declared name. */
export interface Binding {
  /** `hoisted`: a function in a block, as sloppy code sees it from outside of the block (annex B.3.3). */
  readonly kind: 'const' | 'let' | 'var' | 'parameter' | 'function' | 'class' | 'own' | 'hoisted';
  /** What it is given where it is declared. */
  readonly init: Node | undefined;
  /** Whether it is assigned anywhere else. */
  isAssigned: boolean;
}

export interface Scope {
  readonly kind: 'program' | 'function' | 'block';
  readonly names: Map<string, Binding>;
  readonly parent: Scope | undefined;
  /** Where `var` declarations within it go. */
  readonly hoist: Scope;
}

/** A name that is used. */
export interface Reference {
  readonly name: string;
  readonly scope: Scope;
  readonly at: number;
  readonly how: 'read' | 'assign';
  /** `name.member`, and nothing else of it. */
  readonly member: string | undefined;
}

export function scopeIn(kind: Scope['kind'], parent: Scope | undefined): Scope {
  const scope = { kind, names: new Map(), parent, hoist: undefined as unknown as Scope };
  scope.hoist = kind === 'block' && parent ? parent.hoist : scope;
  return scope;
}

/** The declaration that a name means in a scope. */
export function bindingOf(name: string, from: Scope): Binding | undefined {
  for (let scope: Scope | undefined = from; scope; scope = scope.parent) {
    const binding = scope.names.get(name);
    if (binding) return binding;
  }
  return undefined;
}

/** Walks over a tree once; what is done on the way is up to its heirs. */
export abstract class Walk {
  readonly references: Reference[] = [];
  /** Classes, and functions that are strict by themselves, around the place: their code is strict. */
  protected strict = 0;

  /** Called for each node before its children; true: they have been seen to, or don't matter. */
  protected enter(_node: AnyNode, _scope: Scope): boolean {
    return false;
  }
  /** Around a function or class, or around a piece of code with a `this` of its own (`node` undefined). */
  protected open(_node: FunctionNode | Class | undefined, _scope: Scope): void {}
  protected close(_node: FunctionNode | Class | undefined): void {}
  /** Something is written to a property, or deleted. */
  protected write(_node: AnyNode): void {}
  /** A function in a block, in code that may be sloppy. */
  protected blockFunction(): void {}

  /** Marks what is assigned, and returns the references to what is declared nowhere in the tree. */
  protected resolve(): Reference[] {
    const free: Reference[] = [];
    for (const reference of this.references) {
      const binding = bindingOf(reference.name, reference.scope);
      if (!binding) free.push(reference);
      // Sloppy code changes parameters through `arguments`.
      else if (reference.how === 'assign' ? reference.member === undefined : reference.name === 'arguments') {
        binding.isAssigned = true;
      }
    }
    return free;
  }

  protected function(node: FunctionNode, outer: Scope): void {
    const isArrow = node.type === 'ArrowFunctionExpression';
    this.open(node, outer);
    let scope = outer;
    if (node.type === 'FunctionExpression' && node.id) {
      scope = scopeIn('block', scope);
      declare(scope, node.id.name, 'own');
    }
    const isSimple = node.params.every(({ type }) => type === 'Identifier');
    const params = scopeIn('function', scope);
    if (!isArrow) declare(params, 'arguments', 'var');
    for (const parameter of node.params) this.declare(parameter, params, 'parameter');
    for (const parameter of node.params) this.pattern(parameter, params, 'declare');
    if (node.body.type === 'BlockStatement') {
      const isStrict = hasUseStrict(node.body.body);
      if (isStrict) this.strict++;
      // Defaults of parameters don't see the variables of the body.
      this.block(node.body.body, isSimple ? params : scopeIn('function', params));
      if (isStrict) this.strict--;
    } else {
      this.visit(node.body, params);
    }
    this.close(node);
  }

  protected class(node: Class, outer: Scope): void {
    this.open(node, outer);
    const scope = scopeIn('block', outer);
    if (node.id) declare(scope, node.id.name, 'own');
    this.strict++;
    if (node.superClass) this.visit(node.superClass, scope);
    for (const element of node.body.body) this.element(element, scope);
    this.strict--;
    this.close(node);
  }

  protected element(element: Class['body']['body'][number], scope: Scope): void {
    if (element.type === 'StaticBlock') {
      this.open(undefined, scope);
      this.block(element.body, scopeIn('function', scope));
      this.close(undefined);
      return;
    }
    if (element.computed) this.visit(element.key, scope);
    if (element.type === 'MethodDefinition') this.function(element.value, scope);
    else if (element.value) {
      this.open(undefined, scope);
      this.visit(element.value, scopeIn('function', scope));
      this.close(undefined);
    }
  }

  /** Statements in a scope made for them: what they declare is known from the first of them on. */
  protected block(statements: readonly AnyNode[], scope: Scope): void {
    for (let statement of statements) {
      while (statement.type === 'LabeledStatement') statement = statement.body;
      if (statement.type === 'FunctionDeclaration') declare(scope, statement.id?.name, 'function', statement);
      else if (statement.type === 'ClassDeclaration') declare(scope, statement.id?.name, 'class', statement);
      else if (statement.type === 'VariableDeclaration' && statement.kind !== 'var')
        this.variables(statement, scope);
    }
    for (const statement of statements) this.visit(statement, scope);
  }

  private variables(node: AnyNode & { type: 'VariableDeclaration' }, scope: Scope): void {
    // `using` is a constant, too.
    const kind = node.kind === 'var' || node.kind === 'let' ? node.kind : 'const';
    const target = kind === 'var' ? scope.hoist : scope;
    for (const { id, init } of node.declarations) {
      if (id.type === 'Identifier') declare(target, id.name, kind, init ?? undefined);
      else this.declare(id, target, kind);
    }
  }

  private declare(pattern: Pattern, scope: Scope, kind: Binding['kind']): void {
    switch (pattern.type) {
      case 'Identifier':
        declare(scope, pattern.name, kind);
        break;
      case 'ObjectPattern':
        for (const property of pattern.properties) {
          this.declare(property.type === 'RestElement' ? property.argument : property.value, scope, kind);
        }
        break;
      case 'ArrayPattern':
        for (const element of pattern.elements) if (element) this.declare(element, scope, kind);
        break;
      case 'AssignmentPattern':
        this.declare(pattern.left, scope, kind);
        break;
      case 'RestElement':
        this.declare(pattern.argument, scope, kind);
        break;
      default:
    }
  }

  /** A pattern's defaults and computed names, and its targets where it assigns. */
  private pattern(pattern: AnyNode, scope: Scope, how: 'declare' | 'assign'): void {
    switch (pattern.type) {
      case 'Identifier':
        if (how === 'assign') this.refer(pattern.name, scope, pattern, 'assign');
        break;
      case 'MemberExpression':
        this.member(pattern, scope, 'assign');
        break;
      case 'ObjectPattern':
        for (const property of pattern.properties) {
          if (property.type === 'RestElement') this.pattern(property.argument, scope, how);
          else {
            if (property.computed) this.visit(property.key, scope);
            this.pattern(property.value, scope, how);
          }
        }
        break;
      case 'ArrayPattern':
        for (const element of pattern.elements) if (element) this.pattern(element, scope, how);
        break;
      case 'AssignmentPattern':
        this.pattern(pattern.left, scope, how);
        this.visit(pattern.right, scope);
        break;
      case 'RestElement':
        this.pattern(pattern.argument, scope, how);
        break;
      default:
        this.visit(pattern, scope);
    }
  }

  private member(node: AnyNode & { type: 'MemberExpression' }, scope: Scope, how: 'read' | 'assign'): void {
    if (how === 'assign') this.write(node);
    const { object, property } = node;
    const name = memberName(node);
    if (object.type === 'Identifier' && name !== undefined) {
      this.refer(object.name, scope, object, how, name);
      return;
    }
    this.visit(object, scope);
    if (node.computed || property.type === 'PrivateIdentifier') this.visit(property, scope);
  }

  private refer(name: string, scope: Scope, node: AnyNode, how: 'read' | 'assign', member?: string): void {
    this.references.push({ name, scope, at: node.start, how, member });
  }

  protected visit(node: AnyNode, scope: Scope): void {
    if (this.enter(node, scope)) return;
    switch (node.type) {
      case 'Identifier':
        this.refer(node.name, scope, node, 'read');
        return;
      case 'MemberExpression':
        this.member(node, scope, 'read');
        return;
      case 'Property':
        if (node.computed) this.visit(node.key, scope);
        this.visit(node.value, scope);
        return;
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        this.function(node, scope);
        return;
      case 'FunctionDeclaration':
        if (node.id) {
          // A body of `if` without a block declares here.
          if (!scope.names.has(node.id.name)) declare(scope, node.id.name, 'function', node);
          if (this.strict === 0 && scope.kind === 'block') {
            this.blockFunction();
            if (!scope.hoist.names.has(node.id.name)) declare(scope.hoist, node.id.name, 'hoisted');
          }
        }
        this.function(node, scope);
        return;
      case 'ClassDeclaration':
      case 'ClassExpression':
        this.class(node, scope);
        return;
      case 'VariableDeclaration':
        this.variables(node, scope);
        for (const { id, init } of node.declarations) {
          this.pattern(id, scope, 'declare');
          if (init) this.visit(init, scope);
        }
        return;
      case 'AssignmentExpression':
        this.pattern(node.left, scope, 'assign');
        this.visit(node.right, scope);
        return;
      case 'UpdateExpression':
        this.pattern(node.argument, scope, 'assign');
        return;
      case 'UnaryExpression':
        if (node.operator === 'delete') {
          this.write(node);
          if (node.argument.type === 'MemberExpression') {
            this.member(node.argument, scope, 'assign');
            return;
          }
        }
        this.visit(node.argument, scope);
        return;
      case 'BlockStatement':
        this.block(node.body, scopeIn('block', scope));
        return;
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
        this.loop(node, scopeIn('block', scope));
        return;
      case 'SwitchStatement': {
        this.visit(node.discriminant, scope);
        const inner = scopeIn('block', scope);
        const statements = node.cases.flatMap(({ consequent }) => consequent);
        for (const { test } of node.cases) if (test) this.visit(test, inner);
        this.block(statements, inner);
        return;
      }
      case 'CatchClause': {
        const inner = scopeIn('block', scope);
        if (node.param) {
          this.declare(node.param, inner, 'let');
          this.pattern(node.param, inner, 'declare');
        }
        this.block(node.body.body, scopeIn('block', inner));
        return;
      }
      case 'LabeledStatement':
        this.visit(node.body, scope);
        return;
      case 'BreakStatement':
      case 'ContinueStatement':
      case 'MetaProperty':
        return;
      default:
        this.children(node, scope);
    }
  }

  private loop(node: AnyNode & { type: `For${string}Statement` }, scope: Scope): void {
    if (node.type === 'ForStatement') {
      if (node.init) this.visit(node.init, scope);
      // Each turn has its own copies of these, and a function made in the head sees the first ones.
      for (const binding of scope.names.values()) binding.isAssigned = true;
      if (node.test) this.visit(node.test, scope);
      if (node.update) this.visit(node.update, scope);
    } else {
      if (node.left.type === 'VariableDeclaration') {
        this.visit(node.left, scope);
        // It gets its values from the loop.
        for (const { id } of node.left.declarations) {
          if (id.type === 'Identifier' && node.left.kind === 'var') this.refer(id.name, scope, id, 'assign');
        }
      } else this.pattern(node.left, scope, 'assign');
      this.visit(node.right, scope);
    }
    this.visit(node.body, scope);
  }

  protected children(node: AnyNode, scope: Scope): void {
    for (const key in node) {
      const child = (node as unknown as Record<string, unknown>)[key];
      if (Array.isArray(child)) {
        for (const one of child) if (isNode(one)) this.visit(one, scope);
      } else if (isNode(child)) this.visit(child, scope);
    }
  }
}

export function declare(scope: Scope, name: string | undefined, kind: Binding['kind'], init?: Node): void {
  if (name === undefined) return;
  const before = scope.names.get(name);
  if (before?.kind === kind && before.init === init) return;
  // Declared twice (`var`, functions, parameters): which value it has is a matter of when.
  scope.names.set(name, { kind, init, isAssigned: before !== undefined && !(before.kind === 'hoisted') });
}

/** The member's name, where the code says it: `a.name`, `a["name"]`. */
export function memberName({
  computed,
  property,
}: AnyNode & { type: 'MemberExpression' }): string | undefined {
  if (!computed) return property.type === 'Identifier' ? property.name : undefined;
  return property.type === 'Literal' && typeof property.value === 'string' ? property.value : undefined;
}

export function hasUseStrict(statements: readonly AnyNode[]): boolean {
  for (const statement of statements) {
    if (statement.type !== 'ExpressionStatement' || !('directive' in statement)) return false;
    if (statement.directive === 'use strict') return true;
  }
  return false;
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && typeof (value as AnyNode).type === 'string';
}
