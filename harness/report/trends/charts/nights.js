// What the charts of trends are of: campaigns of one name, night by night. All charts of one name
// share their time axis.

const KINDS = {};

function reportFrom(text) {
  return JSON.parse(text);
}

function cellsOf(payload) {
  for (const campaign of payload.campaigns) {
    campaign.at_ms = campaign.at_s.map((at) => at * 1000);
    for (const chart of campaign.charts) {
      chart.series.forEach(unpacked);
      KINDS[chart.id] = {
        build: (_, look) => trendFigure(chart, campaign, look),
        height: 300,
        timed: true,
      };
    }
  }
  return new Map(payload.campaigns.map((campaign) => [campaign.id, campaign]));
}

// Places travel as what each adds to the one before.
function unpacked(series) {
  let place = 0;
  series.nights = series.nights.map((step) => (place += step));
  series.aside = new Set(series.outliers);
}

function dayOf(campaign, night) {
  return new Date(campaign.at_ms[night]).toISOString().slice(0, 10);
}
