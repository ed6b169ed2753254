import { expect, it } from "vitest"
import {
  address,
  cafe,
  describeInBrowser,
  facts,
  fullSize,
  hostile,
  isFocused,
  manyAddress,
  open,
  opened,
  thumbnail,
  viewer
} from "../../support/galleryPage.js"

describeInBrowser("The full-size view of the gallery", () => {
  it("works with the keyboard", async () => {
    const page = await opened()
    await page.keyboard.press("Tab")
    expect(await page.getByLabel("Filter").evaluate((element) => element === document.activeElement)).toBe(true)
    await page.keyboard.type("flux")
    await page.keyboard.press("Enter")
    expect(await isFocused(page, "a lighthouse at dawn")).toBe(true)
    await page.keyboard.press("Enter")
    expect(await viewer(page).getByText("a lighthouse at dawn").isVisible()).toBe(true)
    const places = []
    for (const key of ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft"]) {
      await page.keyboard.press(key)
      const source = await fullSize(page).getAttribute("src")
      places.push(`${String(source)}, ${String(await viewer(page).locator(".place").textContent())}`)
    }
    const [first, second, third] = ["lighthouse-0.png, 1 of 3", "lines-0.png, 2 of 3", "rtl-0.png, 3 of 3"]
    expect(places).toEqual([second, third, first, third, second])
    await page.keyboard.press("Escape")
    expect(await viewer(page).isVisible()).toBe(false)
    await expect.poll(() => isFocused(page, /^first line/)).toBe(true)
  })

  it("works with the mouse", async () => {
    const page = await opened()
    await thumbnail(page, "a lighthouse at dawn").click()
    await viewer(page).getByRole("button", { name: "Next image" }).click()
    expect(await fullSize(page).getAttribute("alt")).toBe("a cr\u00e8me caf\u00e9 in the rain")
    await viewer(page).getByRole("button", { name: "Previous image" }).click()
    await viewer(page).getByText("a lighthouse at dawn").click()
    expect(await viewer(page).isVisible()).toBe(true)
    await page.mouse.click(100, 200)
    expect(await viewer(page).isVisible()).toBe(false)
    await expect.poll(() => isFocused(page, "a lighthouse at dawn")).toBe(true)
    await thumbnail(page, "a lighthouse at dawn").click()
    await viewer(page).getByRole("button", { name: "Close" }).click()
    expect(await viewer(page).isVisible()).toBe(false)
    await expect.poll(() => page.url()).toBe(address)
  })

  it("shows every detail of the request, and whether the image is emulated", async () => {
    const page = await opened()
    expect(await page.getByText("Emulated").count()).toBe(1)
    await open(page, "wide-0.png")
    const { Date: date = "", ...others } = await facts(page)
    expect(others).toEqual({
      Service: "Emulated",
      "Negative prompt": "blurry, deformed hands, ugly",
      Model: "SDXL 1.0",
      Seed: "8",
      Steps: "30",
      Guidance: "7",
      "Aspect ratio": "1:1",
      Size: "3000 × 600",
      File: "wide-0.png"
    })
    expect(date).toContain(String(new Date().getFullYear()))
  })

  it("copies the prompt, the seed, and the command that generates the image again", async () => {
    const page = await opened({ permissions: ["clipboard-read", "clipboard-write"] })
    await open(page, `lighthouse-0.png`)
    const copied = async (name: string) => {
      await viewer(page).getByRole("button", { name }).click()
      await viewer(page)
        .getByText(/^Copied the/)
        .waitFor()
      return page.evaluate(() => navigator.clipboard.readText())
    }
    expect(await copied("Copy prompt")).toBe("a lighthouse at dawn")
    expect(await copied("Copy seed")).toBe("7")
    expect(await copied("Copy command")).toBe("effect-arta generate 'a lighthouse at dawn' --seed 7")
    await page.keyboard.press("Escape")
    await open(page, "unknown.png")
    expect(await viewer(page).getByRole("button", { name: /^Copy/ }).count()).toBe(0)
  })

  it("links to one image, and closes it with Back", async () => {
    const page = await opened()
    await open(page, `lighthouse-0.png`)
    await page.keyboard.press("ArrowRight")
    const link = `${address}#${encodeURIComponent(`${cafe}-0.png`)}`
    await expect.poll(() => page.url()).toBe(link)
    await page.goBack()
    expect(await viewer(page).isVisible()).toBe(false)
    expect(page.url()).toBe(address)
    await page.goForward()
    await viewer(page).waitFor()

    const other = await opened({}, link)
    expect(await fullSize(other).getAttribute("alt")).toBe("a cr\u00e8me caf\u00e9 in the rain")
    await other.keyboard.press("Escape")
    await expect.poll(() => other.url()).toBe(address)
    expect(await viewer(other).isVisible()).toBe(false)
  })

  it("zooms to 100 % and back", async () => {
    const page = await opened()
    await open(page, "wide-0.png")
    const width = async () => (await fullSize(page).boundingBox())?.width
    expect(await width()).toBeLessThan(1280)
    await fullSize(page).click({ position: { x: 5, y: 5 } })
    expect(await width()).toBe(3000)
    expect(await page.locator(".frame").evaluate((frame) => frame.scrollLeft)).toBeLessThan(100)
    await viewer(page).getByRole("button", { name: "Zoom to 100 %" }).click()
    expect(await width()).toBeLessThan(1280)
  })

  it("goes to the next image with a swipe", async () => {
    const page = await opened({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true })
    await page.locator(".thumbnail").first().tap()
    const alt = () => fullSize(page).getAttribute("alt")
    const session = await page.context().newCDPSession(page)
    const swipe = async (from: number, to: number) => {
      await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x: from, y: 250 }] })
      await session.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: [{ x: to, y: 255 }] })
      await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] })
    }
    await swipe(300, 100)
    await expect.poll(alt).toBe("a cr\u00e8me caf\u00e9 in the rain")
    await swipe(100, 300)
    await expect.poll(alt).toBe("a lighthouse at dawn")
  })

  it.each([
    ["wide-0.png", 1280, 800],
    ["tall-0.png", 1280, 800],
    ["lines-0.png", 1280, 800],
    ["wide-0.png", 360, 640],
    ["tall-0.png", 360, 640]
  ])("shows %s whole on a screen of %d × %d pixels", async (file, width, height) => {
    const page = await opened({ viewport: { width, height } })
    await page.locator(`.thumbnail[href="${file}"]`).click()
    const box = await fullSize(page).boundingBox()
    const proportion = await fullSize(page).evaluate(
      (image) => Number(image.getAttribute("width")) / Number(image.getAttribute("height"))
    )
    if (box === null) throw new Error("There is no image.")
    expect(box.x).toBeGreaterThanOrEqual(0)
    expect(box.y).toBeGreaterThanOrEqual(0)
    expect(box.x + box.width).toBeLessThanOrEqual(width)
    expect(box.y + box.height).toBeLessThanOrEqual(height)
    expect(Math.abs(box.width - box.height * proportion)).toBeLessThan(2)
    const panel = await viewer(page).getByRole("region", { name: "Details" }).boundingBox()
    expect((panel?.y ?? height) + (panel?.height ?? 0)).toBeLessThanOrEqual(height)
    const next = await viewer(page).getByRole("button", { name: "Next image" }).boundingBox()
    expect((next?.x ?? width) + (next?.width ?? 0)).toBeLessThanOrEqual(width)
  })

  it("shows a prompt with HTML as text and runs nothing in it", async () => {
    const page = await opened()
    await thumbnail(page, hostile).click()
    expect(await viewer(page).locator(".prompt").textContent()).toBe(hostile)
    await page.keyboard.press("Escape")
    const item = page.locator("li", { has: page.locator(`[href="wide-0.png"]`) })
    expect(await item.locator(".prompt").textContent()).toBe(hostile)
    expect(await item.getByRole("img").getAttribute("alt")).toBe(hostile)
    expect(await page.evaluate(() => "hacked" in window)).toBe(false)
    expect(await page.locator("script").count()).toBe(2)
  })

  it("returns to the place of the image that was shown last", async () => {
    const page = await opened({ viewport: { width: 700, height: 600 } }, `${manyAddress}#250.png`)
    expect(await viewer(page).locator(".place").textContent()).toBe("251 of 500")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Escape")
    await expect.poll(() => isFocused(page, "251.png")).toBe(true)
    expect(await thumbnail(page, "251.png").evaluate((link) => link.getBoundingClientRect().top)).toBeGreaterThan(0)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    expect(await isFocused(page, "252.png")).toBe(true)
  })
})
