/** A view that cannot be drawn says so, and leaves the rest of the page alone: React would take all of it away. */
import { Component, type ReactNode } from 'react';
import { texts } from './texts.ts';

export class ViewGuard extends Component<{ children: ReactNode }, { isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError() {
    return { isBroken: true };
  }

  override render() {
    if (!this.state.isBroken) return this.props.children;
    return (
      <div role="alert" className="card failure">
        <p className="failure-message">{texts.error.view}</p>
        <p>{texts.error.viewHint}</p>
        <button type="button" onClick={() => this.setState({ isBroken: false })}>
          {texts.retry}
        </button>
      </div>
    );
  }
}
