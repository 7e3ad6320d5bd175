// Where the follower is: picked on the map or from the list, kept in both datums.

/** BD-09 from GCJ-02, Baidu's published wave, for accounts whose LOCATION event is set to it. */
function toBaidu(lat, lng) {
  const turn = (Math.PI * 3000) / 180;
  const z = Math.hypot(lng, lat) + 0.00002 * Math.sin(lat * turn);
  const theta = Math.atan2(lat, lng) + 0.000003 * Math.cos(lng * turn);
  return [z * Math.sin(theta) + 0.006, z * Math.cos(theta) + 0.0065];
}

export function nearest(cities, lat, lng) {
  const squeeze = Math.cos((lat * Math.PI) / 180);
  const away = (city) => (city.lat - lat) ** 2 + ((city.lng - lng) * squeeze) ** 2;
  return cities.reduce((best, city) => (away(city) < away(best) ? city : best), cities[0]);
}

/** A place from a GCJ-02 point; its WGS-84 borrows the shift of the nearest city, good to metres. */
export function placeAt(cities, lat, lng, label = "") {
  const city = nearest(cities, lat, lng);
  const wgs84 = [lat - (city.lat - city.wgs84[0]), lng - (city.lng - city.wgs84[1])];
  return { gcj02: [lat, lng], wgs84, label: label || `${city.name}附近`, precision: 30 };
}

/** The degrees the LOCATION event carries in this datum. */
export function degrees(place, datum) {
  if (datum === "gcj02") return place.gcj02;
  if (datum === "bd09") return toBaidu(...place.gcj02);
  return place.wgs84;
}

/** The slider counts 0 to 100 for 10 to 5,000 metres, evenly by ratio, in round numbers. */
export function metres(slider) {
  const exact = 10 * 500 ** (slider / 100);
  const step = exact < 100 ? 10 : exact < 1000 ? 50 : 500;
  return Math.round(exact / step) * step;
}
