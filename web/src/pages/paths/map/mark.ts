// How a node is drawn by the graphics card: a shape by what it is, filled by how likely it falls, with a border. No shape gets
// too small to be seen, however far one is away.
import { NodeProgram } from "sigma/rendering";
import type { NodeDisplayData, RenderParams } from "sigma/types";
import { floatColor } from "sigma/utils";

export const shapes = { host: 0, group: 1, jewel: 2, entry: 3, site: 4 } as const;

/** Marked is what a node of the drawing carries beside what all have. */
export type Marked = { shape: number; edge: string };

const vertex = /* glsl */ `
attribute vec4 a_id;
attribute vec4 a_color;
attribute vec4 a_edge;
attribute vec2 a_position;
attribute float a_size;
attribute float a_shape;
attribute float a_angle;
uniform mat3 u_matrix;
uniform float u_sizeRatio;
uniform float u_correctionRatio;
varying vec4 v_color;
varying vec4 v_edge;
varying vec2 v_at;
varying float v_radius;
varying float v_shape;
const float bias = 255.0 / 254.0;
void main() {
  float least = a_shape > 1.5 && a_shape < 3.5 ? 6.5 : 1.6;
  float size = max(a_size / u_sizeRatio, least) * u_correctionRatio * 4.0;
  vec2 away = size * vec2(cos(a_angle), sin(a_angle));
  gl_Position = vec4((u_matrix * vec3(a_position + away, 1)).xy, 0, 1);
  v_at = away;
  v_radius = size / 2.0;
  v_shape = a_shape;
  #ifdef PICKING_MODE
  v_color = a_id;
  #else
  v_color = a_color;
  #endif
  v_edge = a_edge;
  v_color.a *= bias;
  v_edge.a *= bias;
}`;

const fragment = /* glsl */ `
precision highp float;
varying vec4 v_color;
varying vec4 v_edge;
varying vec2 v_at;
varying float v_radius;
varying float v_shape;
uniform float u_correctionRatio;
float outside() {
  vec2 p = abs(v_at);
  if (v_shape > 3.5) return length(v_at) - v_radius * 0.75;
  if (v_shape > 2.5) return max(v_at.x - v_radius * 0.6, (p.y - (v_radius * 0.6 - v_at.x) * 0.62) * 0.85);
  if (v_shape > 1.5) return (p.x + p.y - v_radius) * 0.7071;
  if (v_shape > 0.5) return max(p.x, p.y) - v_radius * 0.72;
  return length(v_at) - v_radius;
}
void main(void) {
  float soft = u_correctionRatio * 2.0;
  float far = outside() + soft;
  #ifdef PICKING_MODE
  gl_FragColor = length(v_at) > v_radius * 1.15 ? vec4(0.0) : v_color;
  #else
  float wide = v_shape > 1.5 && v_shape < 2.5 ? max(v_radius * 0.22, soft) : max(v_radius * 0.14, soft * 0.9);
  vec4 inside = mix(v_color, v_edge, smoothstep(-soft, 0.0, far + wide));
  gl_FragColor = mix(inside, vec4(0.0), clamp(far / soft, 0.0, 1.0));
  #endif
}`;

const uniforms = ["u_sizeRatio", "u_correctionRatio", "u_matrix"] as const;
const { FLOAT, UNSIGNED_BYTE, TRIANGLES } = WebGLRenderingContext;

export class MarkProgram extends NodeProgram<(typeof uniforms)[number]> {
  getDefinition() {
    return {
      VERTICES: 3, VERTEX_SHADER_SOURCE: vertex, FRAGMENT_SHADER_SOURCE: fragment, METHOD: TRIANGLES, UNIFORMS: uniforms,
      ATTRIBUTES: [
        { name: "a_position", size: 2, type: FLOAT }, { name: "a_size", size: 1, type: FLOAT }, { name: "a_shape", size: 1, type: FLOAT },
        { name: "a_color", size: 4, type: UNSIGNED_BYTE, normalized: true }, { name: "a_edge", size: 4, type: UNSIGNED_BYTE, normalized: true }, { name: "a_id", size: 4, type: UNSIGNED_BYTE, normalized: true },
      ],
      CONSTANT_ATTRIBUTES: [{ name: "a_angle", size: 1, type: FLOAT }],
      CONSTANT_DATA: [[0], [(2 * Math.PI) / 3], [(4 * Math.PI) / 3]],
    };
  }

  processVisibleItem(index: number, at: number, data: NodeDisplayData) {
    const { shape, edge } = data as NodeDisplayData & Marked;
    this.array.set([data.x, data.y, data.size, shape, floatColor(data.color), floatColor(edge), index], at);
  }

  setUniforms(params: RenderParams, { gl, uniformLocations }: { gl: WebGLRenderingContext | WebGL2RenderingContext; uniformLocations: Record<(typeof uniforms)[number], WebGLUniformLocation> }) {
    gl.uniform1f(uniformLocations.u_sizeRatio, params.sizeRatio);
    gl.uniform1f(uniformLocations.u_correctionRatio, params.correctionRatio);
    gl.uniformMatrix3fv(uniformLocations.u_matrix, false, params.matrix);
  }
}
