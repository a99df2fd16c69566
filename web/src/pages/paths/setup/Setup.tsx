// What paths are worked out from, beside scans: which hosts matter, what the network lets through, and what people know better.
import { Corrections } from "./Corrections";
import { Jewels } from "./Jewels";
import { Policy } from "./Policy";
import "./setup.css";

export function Setup() {
  return (
    <div className="ps-page">
      <Jewels />
      <Policy />
      <Corrections />
    </div>
  );
}
