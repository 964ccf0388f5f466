/** A shape that has an area, in square metres, as measured. */
export interface Shape {
  area(): number;
  name: string;
}

export type Point = { x: number; y: number };

export enum Colour {
  Red,
  Green,
}

export namespace Geometry {
  export function distance(a: Point, b: Point): number {
    return 0;
  }
}

declare module 'vite' {
  interface Config { shape: Shape }
}

export abstract class Circle implements Shape {
  constructor(private radius: number) {}

  @memo()
  area(): number {
    return Math.PI * this.radius ** 2;
  }

  abstract draw(): void;
}

export const double = <T>(value: T): T[] => [value, value];

export function over(a: string): void;
export function over(a: number): void;
export function over(a: any): void {}

export default defineConfig({
  plugins: [],
});

declare function external(name: string): void;
