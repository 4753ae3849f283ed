// A page that is opened from a file may not start a worker, which the search needs. There, an iframe
// runs the worker's script. The name has to contain `iframe-worker`: the theme then loads no other.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      document.body.append(frame)
      const inside = frame.contentWindow
      inside.postMessage = data => {
        const event = new MessageEvent("message", { data })
        this.dispatchEvent(event)
        this.onmessage?.(event)
      }
      inside.importScripts = (...urls) => Promise.all(urls.map(load))
      this.frame = frame
      this.loaded = load(url)

      function load(address) {
        return new Promise((done, failed) => {
          const script = inside.document.createElement("script")
          script.src = new URL(address, location.href).href
          script.onload = done
          script.onerror = failed
          inside.document.body.append(script)
        })
      }
    }

    async postMessage(data) {
      await this.loaded
      const inside = this.frame.contentWindow
      inside.dispatchEvent(new inside.MessageEvent("message", { data }))
    }

    terminate() {
      this.frame.remove()
    }
  }
}
