/** Size and colours of a canvas. */

/**
 * Set the size of a canvas to that of its place on the screen, in device pixels, and clear it.
 * @param {HTMLCanvasElement} canvas
 * @returns {{context: CanvasRenderingContext2D, width: number, height: number} | null} In CSS pixels.
 */
export function fitCanvas(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = canvas.getContext('2d');
  if (context === null || width === 0) return null;
  const scale = globalThis.devicePixelRatio || 1;
  const [deviceWidth, deviceHeight] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== deviceWidth || canvas.height !== deviceHeight) {
    canvas.width = deviceWidth;
    canvas.height = deviceHeight;
  }
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/**
 * @param {string} name Of a variable in the style sheet.
 * @returns {string} Its present value, which differs between light and dark.
 */
export const styleValue = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
